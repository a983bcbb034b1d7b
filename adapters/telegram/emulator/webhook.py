"""Delivery of updates to a webhook; https://core.telegram.org/bots/api#setwebhook."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import httpx

from adapters.telegram.emulator.refusal import bad
from adapters.telegram.emulator.updates import Update, Updates
from bridge.clock import Clock
from bridge.log import get_logger

PORTS = (443, 80, 88, 8443)
LOOPBACK = ("127.0.0.1", "localhost", "::1")
PATIENCE = 60.0  # seconds for an answer
FIRST_PAUSE = 1.0  # seconds before the first retry; each later one waits twice as long
LONGEST_PAUSE = 60.0

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where updates are sent."""

    url: str
    secret: str
    max_connections: int


def check_url(url: str) -> None:
    """Refuse what the service cannot reach; plain HTTP goes to this machine only."""
    parts = urlsplit(url)
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return
    if parts.scheme != "https" or not parts.hostname:
        raise bad("bad webhook: An HTTPS URL must be provided for webhook")
    if parts.hostname not in LOOPBACK and (parts.port or 443) not in PORTS:
        raise bad("bad webhook: Webhook can be set up only on ports 80, 88, 443 or 8443")


def check_secret(secret: str) -> None:
    """Refuse a secret that the service cannot put into a header."""
    if len(secret) > 256:
        raise bad("secret token is too long")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
        raise bad("secret token contains unallowed characters")


class Courier:
    """Takes updates to the webhook: one at a time for each chat, until it is accepted."""

    def __init__(self, updates: Updates, clock: Clock) -> None:
        self.webhook: Webhook | None = None
        self.failed: tuple[int, str] | None = None  # when and why a delivery last failed
        self._updates = updates
        self._clock = clock
        self._busy: set[int] = set()
        self._used = asyncio.Event()

    def use(self, webhook: Webhook | None) -> None:
        """Deliver to this webhook from now on, or not at all."""
        self.webhook = webhook
        self.failed = None
        self._used.set()
        self._updates.arrived.set()

    async def run(self) -> None:
        """Deliver until cancelled."""
        await self._used.wait()
        async with (
            httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client,
            asyncio.TaskGroup() as deliveries,
        ):
            while True:
                await self._updates.arrived.wait()
                self._updates.arrived.clear()
                for update in self._due():
                    self._busy.add(update.lane)
                    deliveries.create_task(self._deliver(client, update))

    def _due(self) -> Iterator[Update]:
        for update in self._updates:
            if self.webhook is None or len(self._busy) >= self.webhook.max_connections:
                return
            if update.lane not in self._busy:
                yield update

    async def _deliver(self, client: httpx.AsyncClient, update: Update) -> None:
        pause = FIRST_PAUSE
        try:
            while (webhook := self.webhook) and update in self._updates:
                asked = await self._post(client, webhook, update)
                if asked is None:
                    self._updates.confirm(update)
                    return
                await asyncio.sleep(asked or pause)
                pause = min(2 * pause, LONGEST_PAUSE)
        finally:
            self._busy.discard(update.lane)
            self._updates.arrived.set()

    async def _post(
        self, client: httpx.AsyncClient, webhook: Webhook, update: Update
    ) -> float | None:
        """Try once; None for success, or the seconds that the webhook wants to be left alone."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": webhook.secret} if webhook.secret else {}
        try:
            answer = await client.post(webhook.url, json=update.body, headers=headers)
        except httpx.HTTPError as error:
            self._failed(f"Connection failed: {type(error).__name__}")
            return 0.0
        if answer.is_success:
            return None
        self._failed(
            f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}"
        )
        wanted = answer.headers.get("Retry-After", "")
        return float(wanted) if wanted.isdecimal() else 0.0

    def _failed(self, reason: str) -> None:
        self.failed = (int(self._clock.now()), reason)
        log.info("webhook_refused", reason=reason)
