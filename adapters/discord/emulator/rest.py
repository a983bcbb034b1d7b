"""REST: messages, reactions and typing.

https://discord.com/developers/docs/resources/message
"""

from dataclasses import dataclass

from aiohttp import web

from adapters.discord.emulator.acts import Acts
from adapters.discord.emulator.body import read_body
from adapters.discord.emulator.door import Door, answer, done
from adapters.discord.emulator.form import Draft, is_snowflake, read_draft
from adapters.discord.emulator.payloads import Payloads
from adapters.discord.emulator.places import Payload
from adapters.discord.emulator.refusals import Problems, refusal
from adapters.discord.emulator.world import Channel, ChannelKind, Message, Permission, World

NONCE_LIFE = 300.0  # "the past few minutes"
OLD = 3600.0


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was posted with a nonce."""

    channel: str
    message: str
    at: float


class Rest:
    """Answers requests about messages."""

    def __init__(self, world: World, acts: Acts, payloads: Payloads, door: Door) -> None:
        self._world = world
        self._acts = acts
        self._payloads = payloads
        self._door = door
        self._nonces: dict[str, Posted] = {}

    def routes(self) -> list[web.AbstractRouteDef]:
        """The paths below the version."""
        one, reaction = "/channels/{channel_id}/messages/{message_id}", "/reactions/{emoji}/@me"
        return [
            web.post("/channels/{channel_id}/messages", self.create),
            web.get("/channels/{channel_id}/messages", self.history, allow_head=False),
            web.get(one, self.get, allow_head=False),
            web.patch(one, self.edit),
            web.delete(one, self.delete),
            web.put(one + reaction, self.react),
            web.delete(one + reaction, self.unreact),
            web.post("/channels/{channel_id}/typing", self.type),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Create Message."""
        channel = self.channel(request)
        body = await read_body(request)
        draft = read_draft(body.form, body.uploads)
        self._check_sending(channel, draft)
        known = self._with_nonce(draft) if draft.enforce_nonce else None
        if known is not None:
            return answer(self._written(known))
        message = self._acts.post(channel, self._world.bot, draft)
        if draft.nonce is not None:
            posted = Posted(channel.id, message.id, self._world.clock.monotonic())
            self._nonces[str(draft.nonce)] = posted
        return answer(self._written(message))

    async def get(self, request: web.Request) -> web.Response:
        """Get Channel Message."""
        channel = self.channel(request)
        if not self._world.allows(channel, Permission.READ_MESSAGE_HISTORY):
            raise refusal(50001)
        return answer(self._written(self.message(request, channel)))

    async def history(self, request: web.Request) -> web.Response:
        """Get Channel Messages, newest first."""
        channel = self.channel(request)
        limit, anchor = read_window(request)
        if not self._world.allows(channel, Permission.READ_MESSAGE_HISTORY):
            return answer([])
        shown = [one for one in self._world.shown(channel.id) if not one.is_ephemeral]
        return answer([self._written(one) for one in reversed(cut(shown, limit, anchor))])

    async def edit(self, request: web.Request) -> web.Response:
        """Edit Message."""
        channel = self.channel(request)
        message = self.message(request, channel)
        body = await read_body(request)
        draft = read_draft(body.form, body.uploads)
        if message.author.id != self._world.bot.id:
            raise refusal(50005)
        if self._world.clock.now() - message.at > OLD:
            self._door.take_old_edit(channel.id)
        return answer(self._written(self._acts.edit(message, draft)))

    async def delete(self, request: web.Request) -> web.Response:
        """Delete Message."""
        channel = self.channel(request)
        message = self.message(request, channel)
        if message.author.id != self._world.bot.id:
            raise refusal(50003 if channel.kind == ChannelKind.DIRECT else 50013)
        self._acts.remove(message)
        return done()

    async def react(self, request: web.Request) -> web.Response:
        """Create Reaction."""
        channel = self.channel(request)
        message = self.message(request, channel)
        if not self._world.allows(channel, Permission.ADD_REACTIONS):
            raise refusal(50013)
        self._acts.react(message, self._world.bot, emoji_in(request))
        return done()

    async def unreact(self, request: web.Request) -> web.Response:
        """Delete Own Reaction."""
        message = self.message(request, self.channel(request))
        self._acts.unreact(message, self._world.bot, emoji_in(request))
        return done()

    async def type(self, request: web.Request) -> web.Response:
        """Trigger Typing Indicator."""
        channel = self.channel(request)
        self._check_sending(channel, None)
        self._acts.type(channel)
        return done()

    def channel(self, request: web.Request) -> Channel:
        """The channel of the path; Refusal when there is none or the bot does not see it."""
        channel = self._world.channels.get(snowflake_in(request, "channel_id"))
        if channel is None:
            raise refusal(10003)
        if not self._world.allows(channel, Permission.VIEW_CHANNEL):
            raise refusal(50001)
        return channel

    def message(self, request: web.Request, channel: Channel) -> Message:
        """The message of the path; what one person alone sees is not there."""
        message = self._world.find(channel.id, snowflake_in(request, "message_id"))
        if message is None or message.is_ephemeral:
            raise refusal(10008)
        return message

    def _check_sending(self, channel: Channel, draft: Draft | None) -> None:
        if channel.recipient and not self._world.persons[channel.recipient].takes_direct:
            raise refusal(50007)
        is_thread = channel.kind == ChannelKind.THREAD
        sending = Permission.SEND_MESSAGES_IN_THREADS if is_thread else Permission.SEND_MESSAGES
        if not self._world.allows(channel, sending):
            raise refusal(50013)
        if draft is None:
            return
        if draft.is_empty:
            raise refusal(50006)
        if draft.files and not self._world.allows(channel, Permission.ATTACH_FILES):
            raise refusal(50013)
        is_reply = draft.target is not None and draft.target.kind == 0
        if is_reply and not self._world.allows(channel, Permission.READ_MESSAGE_HISTORY):
            raise refusal(160002)

    def _with_nonce(self, draft: Draft) -> Message | None:
        posted = self._nonces.get(str(draft.nonce))
        if posted is None or self._world.clock.monotonic() - posted.at > NONCE_LIFE:
            return None
        return self._world.find(posted.channel, posted.message)

    def _written(self, message: Message) -> Payload:
        return self._payloads.message(message, intents=self._world.application.privileged)


def snowflake_in(request: web.Request, name: str) -> str:
    """An id of the path; Refusal when it is no id."""
    value = request.match_info[name]
    if is_snowflake(value):
        return value
    problems = Problems()
    problems.not_snowflake(name, value)
    raise problems.refusal()


def emoji_in(request: web.Request) -> str:
    """The emoji of the path: a character, or name:id; Refusal 10014."""
    emoji = request.match_info["emoji"]
    name, colon, identity = emoji.partition(":")
    is_custom = bool(name and colon and is_snowflake(identity))
    if not is_custom and emoji.isascii():
        raise refusal(10014)
    return emoji


def read_window(request: web.Request) -> tuple[int, tuple[str, int] | None]:
    """Which part of the history is asked for: how many, and around or on which side of what."""
    problems = Problems()
    limit = request.query.get("limit", "50")
    if not limit.isdecimal():
        problems.wrong_type("limit", "int")
    elif not 1 <= int(limit) <= 100:
        bound, word = ("MIN", "greater") if int(limit) < 1 else ("MAX", "less")
        edge = 1 if int(limit) < 1 else 100
        message = f"int value should be {word} than or equal to {edge}."
        problems.add("limit", f"NUMBER_TYPE_{bound}", message)
    given = [
        (one, request.query[one]) for one in ("around", "before", "after") if one in request.query
    ]
    for name, value in given:
        if not is_snowflake(value):
            problems.not_snowflake(name, value)
    problems.settle()
    return int(limit), (given[0][0], int(given[0][1])) if given else None


def cut(shown: list[Message], limit: int, anchor: tuple[str, int] | None) -> list[Message]:
    """Take a part of the history, oldest first."""
    match anchor:
        case ("before", edge):
            return [one for one in shown if int(one.id) < edge][-limit:]
        case ("after", edge):
            return [one for one in shown if int(one.id) > edge][:limit]
        case ("around", edge):
            before = [one for one in shown if int(one.id) < edge]
            rest = [one for one in shown if int(one.id) >= edge]
            half = limit // 2
            return (before[-half:] if half else []) + rest[: limit - half]
    return shown[-limit:]
