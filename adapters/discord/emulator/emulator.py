"""The emulator as tests and the sandbox hold it: persons act, and things go wrong on demand."""

import functools
import operator
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace

from aiohttp import web

from adapters.discord.emulator.acts import Acts
from adapters.discord.emulator.cdn import Cdn
from adapters.discord.emulator.commands import Commands
from adapters.discord.emulator.door import PREFIX, Call, Door, guarding
from adapters.discord.emulator.faults import Fault, Faults, Flood, pattern
from adapters.discord.emulator.form import Allowed, Draft, Target, Upload
from adapters.discord.emulator.founding import Founding
from adapters.discord.emulator.gateway import Gateway
from adapters.discord.emulator.intents import PRIVILEGED
from adapters.discord.emulator.interactions import Interactions
from adapters.discord.emulator.invocations import Invocations
from adapters.discord.emulator.payloads import Payloads
from adapters.discord.emulator.places import Places
from adapters.discord.emulator.rates import RateRules
from adapters.discord.emulator.refusals import refusal
from adapters.discord.emulator.rest import Rest
from adapters.discord.emulator.rooms import Rooms
from adapters.discord.emulator.screen import Screen
from adapters.discord.emulator.sessions import Sessions
from adapters.discord.emulator.world import (
    NOTHING,
    Channel,
    Guild,
    Message,
    Permission,
    Person,
    World,
)
from bridge.clock import Clock, SystemClock
from bridge.model import MessageId
from bridge.ports import Shown
from bridge.serving import serving

# https://discord.com/developers/docs/resources/message#create-message, and room for the form
MAX_REQUEST = 26 * 1024 * 1024
AS_DISCORD = RateRules()


class DiscordEmulator:
    """Discord itself, as far as a bot can tell; implements `bridge.ports.Emulator`.

    `privileged` are the privileged intents that the Developer Portal has switched on, and
    `rates=None` switches all limits off. Time is the clock's, except for planned delays.
    """

    def __init__(
        self,
        *,
        clock: Clock | None = None,
        rates: RateRules | None = AS_DISCORD,
        token: str | None = None,
        privileged: int = PRIVILEGED,
    ) -> None:
        self._world = World(clock or SystemClock(), token=token, privileged=privileged)
        self._faults = Faults()
        self._door = Door(self._world, rates, self._faults)
        self._cdn = Cdn(self._world)
        self._places = Places(self._world)
        self._payloads = Payloads(self._world, self._places, self._cdn)
        self._sessions = Sessions(self._world, self._places, rates)
        self._gateway = Gateway(self._sessions, self._world, rates)
        self._acts = Acts(self._world, self._payloads, self._sessions.announce)
        announce = self._sessions.announce
        self._founding = Founding(self._world, self._places, self._acts, announce)
        self._commands = Commands(self._world)
        self._invocations = Invocations(
            self._world, self._places, self._payloads, self._commands, announce
        )
        self._screen = Screen(self._world, self._founding, self._acts)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Mapping[str, object]]:
        """Serve on loopback; yields token, api_url and gateway_url."""
        async with serving(self._app(), "127.0.0.1:0") as url:
            self._cdn.base = url
            self._sessions.url = f"ws{url.removeprefix('http')}/gateway"
            try:
                yield {
                    "token": self._world.application.token,
                    "api_url": url + PREFIX,
                    "gateway_url": self._sessions.url,
                }
            finally:
                self._gateway.drop(1001)

    # --- who and where

    @property
    def bot(self) -> Person:
        """The bot's account."""
        return self._world.bot

    def person(self, name: str, locale: str | None = None) -> Person:
        """Let someone sign up."""
        return self._founding.person(name, locale)

    def guild(self, name: str, members: Iterable[Person]) -> Guild:
        """Found a guild with at least one person; the bot is a member, too."""
        return self._founding.guild(name, tuple(members))

    def channel(self, guild: Guild, name: str) -> Channel:
        """Open a text channel."""
        return self._founding.channel(guild, name)

    def thread(
        self, channel: Channel, person: Person, name: str, message: str | None = None
    ) -> Channel:
        """Open a public thread, on a message if one is named."""
        found = None if message is None else self._message(channel, message)
        return self._founding.thread(channel, name, person, found)

    def direct(self, person: Person) -> Channel:
        """Open the direct messages between a person and the bot."""
        return self._founding.direct(person)

    def deny(self, channel: Channel, *permissions: str) -> None:
        """Take permissions from the bot, by names such as "SEND_MESSAGES"; without any, none."""
        denied = (Permission[name] for name in permissions)
        self._founding.deny(channel, functools.reduce(operator.or_, denied, NOTHING))

    def block(self, person: Person) -> None:
        """Let a person take no more direct messages from the bot."""
        self._founding.block(person)

    # --- what persons do

    async def send(
        self,
        channel: Channel,
        person: Person,
        text: str,
        *,
        attachments: Iterable[tuple[str, str, bytes]] = (),
        reply_to: str | None = None,
        ping: bool = True,
        mention_bot: bool = False,
    ) -> str:
        """Write a message, and return its id; `ping` is what a reply's switch "@ ON" does."""
        content = f"<@{self.bot.id}> {text}" if mention_bot else text
        files = (Upload(str(n), *one) for n, one in enumerate(attachments))
        draft = Draft(
            content=content.strip(),
            files=tuple(files),
            allowed=replace(Allowed(), replied_user=ping),
            target=None if reply_to is None else Target(reply_to, None, 0, must_exist=True),
        )
        return self._acts.post(channel, person, draft).id

    async def forward(self, channel: Channel, person: Person, source: Channel, message: str) -> str:
        """Forward a message to a channel, and return the new one's id."""
        target = Target(message, source.id, 1, must_exist=True)
        return self._acts.post(channel, person, Draft(target=target)).id

    async def edit(self, channel: Channel, message: str, text: str) -> None:
        """Change what a message says."""
        self._acts.edit(self._message(channel, message), Draft(content=text.strip()))

    async def delete(self, channel: Channel, message: str) -> None:
        """Take a message away."""
        self._acts.remove(self._message(channel, message))

    async def invoke(self, channel: Channel, person: Person, name: str, **options: object) -> str:
        """Invoke a slash command, and return the interaction's id; Refusal if there is none."""
        return self._invocations.invoke(channel, person, name, options).id

    async def press(self, channel: Channel, message: str, person: Person, button: str) -> str:
        """Press a button by its `custom_id`, and return the interaction's id."""
        return self._invocations.press(self._message(channel, message), person, button).id

    # --- what can be seen

    def messages(self, channel: Channel) -> tuple[Message, ...]:
        """What the channel shows now, oldest first."""
        return self._world.shown(channel.id)

    @property
    def calls(self) -> tuple[Call, ...]:
        """Every REST request so far, in the order of arrival."""
        return tuple(self._door.calls)

    @property
    def invalid_requests(self) -> int:
        """How many requests count towards a ban: answered 401, 403 or 429 in ten minutes."""
        return self._door.invalid_requests

    @property
    def connections(self) -> int:
        """How many gateway connections are open."""
        return self._gateway.connections

    # --- what goes wrong

    def fail(
        self,
        method: str,
        route: str,
        *,
        times: int = 1,
        status: int = 500,
        code: int = 0,
        after_success: bool = False,
    ) -> None:
        """Answer the next requests to a route, such as "/channels/*/messages", with a failure.

        With `after_success` they are carried out all the same: only the answer is lost.
        """
        self._faults.plan(Fault(method, pattern(route), times, status, code, 0.0, after_success))

    def delay(self, method: str, route: str, seconds: float, *, times: int = 1) -> None:
        """Let the next requests to a route wait so long before anything happens."""
        self._faults.plan(Fault(method, pattern(route), times, delay=seconds))

    def exhaust(self, channel: Channel) -> None:
        """Use up what the present window of a channel allows, as another process would."""
        self._door.exhaust(channel.id)

    def flood(self, channel: Channel, retry_after: float, *, is_global: bool = False) -> None:
        """Answer 429 to all writing in a channel, or to everything, for so long."""
        until = self._world.clock.monotonic() + retry_after
        self._faults.flood(channel.id, Flood(until, is_global))

    def drop_gateway(self, code: int = 4000) -> None:
        """Close all gateway connections; 1006 cuts them without a close frame."""
        self._gateway.drop(code)

    def reconnect(self) -> None:
        """Ask all gateway clients to connect again and to resume."""
        self._gateway.reconnect()

    def invalidate_session(self, *, resumable: bool = False) -> None:
        """Tell all gateway clients that their session is invalid."""
        self._gateway.invalidate(is_resumable=resumable)

    def redeliver(self, channel: Channel, message: str) -> None:
        """Dispatch a message a second time."""
        self._acts.tell("MESSAGE_CREATE", self._message(channel, message))

    def dispatch(self, event: str, payload: Mapping[str, object]) -> None:
        """Dispatch anything to every session, however malformed."""
        self._sessions.dispatch(event, payload)

    # --- the sandbox

    async def say(self, text: str, image: bytes | None = None) -> MessageId:
        """Write into the sandbox's channel as its person, to the bot."""
        return self._screen.say(text, image)

    def transcript(self) -> tuple[Shown, ...]:
        """The sandbox's channel as its person sees it now, oldest first."""
        return self._screen.transcript()

    async def changed(self) -> None:
        """Return when what is seen has changed since this was called."""
        await self._acts.stirred()

    @property
    def is_attended(self) -> bool:
        """Whether a session is connected: what is said before is dispatched to nobody."""
        return self._sessions.is_heard

    @property
    def is_typing(self) -> bool:
        """Whether the sandbox's channel shows that the bot is writing."""
        return self._screen.is_typing

    def _message(self, channel: Channel, message: str) -> Message:
        found = self._world.find(channel.id, message)
        if found is None:
            raise refusal(10008)
        return found

    def _app(self) -> web.Application:
        rest = Rest(self._world, self._acts, self._payloads, self._door)
        rooms = Rooms(self._world, self._places, self._founding, rest, self._sessions, self._cdn)
        api = web.Application(middlewares=[guarding(self._door)])
        interactions = Interactions(
            self._world, self._places, self._payloads, self._acts, self._invocations
        )
        for part in (rest, rooms, self._commands, interactions):
            api.add_routes(part.routes())
        app = web.Application(client_max_size=MAX_REQUEST)
        app.add_subapp(PREFIX, api)
        app.add_routes([*self._gateway.routes(), *self._cdn.routes()])
        return app
