"""How many requests are allowed, and the counting of those made: pure, and told the time.

https://discord.com/developers/docs/topics/rate-limits
"""

import hashlib
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Rate:
    """So many within so many seconds."""

    limit: int
    per: float


@dataclass(frozen=True, slots=True)
class RateRules:
    """What the service allows; the values it does not publish are those people have measured."""

    send: Rate = Rate(5, 5.0)
    edit: Rate = Rate(5, 5.0)
    delete: Rate = Rate(5, 1.0)
    typing: Rate = Rate(5, 5.0)
    react: Rate = Rate(1, 0.25)
    webhook: Rate = Rate(5, 2.0)
    other: Rate = Rate(50, 1.0)
    old_edit: Rate = Rate(3, 20.0)  # of messages more than an hour old, in one channel
    everywhere: Rate = Rate(50, 1.0)  # of one bot
    invalid: Rate = Rate(10_000, 600.0)  # answered 401, 403 or 429, from one address
    gateway: Rate = Rate(120, 60.0)  # events sent on one connection
    identify: Rate = Rate(1, 5.0)


@dataclass(frozen=True, slots=True)
class Bucket:
    """What shares one limit; `hash` is public and says nothing of the channel."""

    rate: Rate
    name: str  # counts apart from every other name
    hash: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How a counter stands after a request."""

    limit: int
    remaining: int
    reset_after: float
    is_exceeded: bool


@dataclass(slots=True)
class Window:
    """A counter that starts anew when its time is over."""

    used: int
    ends: float


@dataclass(slots=True)
class Counters:
    """All counters, by name."""

    _windows: dict[str, Window] = field(default_factory=dict)

    def take(self, name: str, rate: Rate, now: float) -> Standing:
        """Count one request, unless the limit is used up already."""
        window = self._window(name, rate, now)
        is_exceeded = window.used >= rate.limit
        if not is_exceeded:
            window.used += 1
        return Standing(rate.limit, rate.limit - window.used, window.ends - now, is_exceeded)

    def used(self, name: str, rate: Rate, now: float) -> int:
        """How many were counted in the present window."""
        return self._window(name, rate, now).used

    def exhaust(self, name: str, rate: Rate, now: float) -> None:
        """Use up what is left of the present window."""
        self._window(name, rate, now).used = rate.limit

    def _window(self, name: str, rate: Rate, now: float) -> Window:
        window = self._windows.get(name)
        if window is None or now >= window.ends:
            window = self._windows[name] = Window(0, now + rate.per)
        return window


def bucket_of(rules: RateRules, method: str, path: str) -> Bucket | None:
    """Which limit a request counts against, besides the one on everything.

    Sending and editing carry the same hash and yet are counted apart, as discord.com does it
    (https://github.com/discord/discord-api-docs/issues/1442).
    """
    steps = path.strip("/").split("/")
    route = f"{method} {'/'.join(one for one in steps if not one.isdecimal())}"
    major = steps[1] if len(steps) > 1 and steps[1].isdecimal() else ""
    rate, name, public = rules.other, route, route
    match method, steps:
        case (_, ["interactions" | "gateway", *_]):
            return None
        case ("POST", ["channels", _, "messages"]):
            rate, name, public = rules.send, "send", "messages"
        case ("PATCH", ["channels", _, "messages", _]):
            rate, name, public = rules.edit, "edit", "messages"
        case ("DELETE", ["channels", _, "messages", _]):
            rate, name = rules.delete, "delete"
        case ("POST", ["channels", _, "typing"]):
            rate, name = rules.typing, "typing"
        case ("PUT" | "DELETE", ["channels", _, "messages", _, "reactions", *_]):
            rate, name, public = rules.react, "react", "reactions"
        case (_, ["webhooks", application, token, *_]):
            rate, name, public = rules.webhook, "webhook", "webhook"
            major = f"{application}:{token}"
    return Bucket(rate, f"{name}:{major}", hashed(public))


def is_exempt(path: str) -> bool:
    """Whether the bot's limit on everything leaves this out.

    https://discord.com/developers/docs/interactions/receiving-and-responding#endpoints
    """
    return path.startswith(("/interactions/", "/webhooks/"))


def hashed(name: str) -> str:
    """A name as the service shows it."""
    return hashlib.sha256(name.encode()).hexdigest()[:32]
