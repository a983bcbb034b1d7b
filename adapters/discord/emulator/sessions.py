"""Gateway sessions: what was dispatched to whom, kept for those who come back.

https://discord.com/developers/docs/events/gateway#resuming
"""

import secrets
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from adapters.discord.emulator.events import Event
from adapters.discord.emulator.intents import GUILDS, KNOWN, MESSAGE_CONTENT, PRIVILEGED
from adapters.discord.emulator.places import Payload, Places
from adapters.discord.emulator.rates import Counters, Rate, RateRules
from adapters.discord.emulator.refusals import HangUp
from adapters.discord.emulator.world import Guild, World

RESUMABLE = 180.0  # "a few minutes", counted from the end of the connection
REPLAYED = 10_000  # events kept for a session
STARTS = Rate(1000, 86_400.0)
GUILDS_PER_SHARD = 2500
CLEAN_CLOSES = (1000, 1001)  # the client's, which end the session

DISPATCH, INVALID_SESSION = 0, 9


class Link(Protocol):
    """A connection, as a session sees it."""

    def push(self, payload: Mapping[str, object]) -> None:
        """Send a payload after those before it."""

    def end(self, code: int, reason: str = "") -> None:
        """Close after what was pushed."""


@dataclass(slots=True, eq=False)
class Session:
    """What one identification began."""

    id: str
    intents: int
    shard: tuple[int, int]
    link: Link | None
    sequence: int = 0
    sent: deque[Payload] = field(default_factory=lambda: deque(maxlen=REPLAYED))
    parted_at: float = 0.0

    def dispatch(self, name: str, data: Mapping[str, object]) -> None:
        """Send an event, or keep it for when the client is back."""
        self.sequence += 1
        payload: Payload = {"op": DISPATCH, "t": name, "s": self.sequence, "d": data}
        self.sent.append(payload)
        if self.link is not None:
            self.link.push(payload)

    def hears(self, event: Event) -> bool:
        """Whether an event is for this session."""
        is_wanted = event.intent == 0 or bool(self.intents & event.intent)
        return is_wanted and covers(self.shard, event.guild)

    def missed(self, sequence: int) -> list[Payload] | None:
        """What was sent after this number; None when that is no longer known."""
        oldest = self.sequence - len(self.sent)
        return list(self.sent)[sequence - oldest :] if sequence >= oldest else None


class Sessions:
    """All sessions there are."""

    def __init__(self, world: World, places: Places, rules: RateRules | None) -> None:
        self.url = ""  # of the gateway, once it has one
        self._world = world
        self._places = places
        self._rules = rules
        self._counters = Counters()
        self._sessions: dict[str, Session] = {}

    @property
    def is_heard(self) -> bool:
        """Whether a session is connected."""
        return any(session.link is not None for session in self._sessions.values())

    def announce(self, event: Event) -> None:
        """Dispatch an event to all whom it concerns."""
        self._forget()
        for session in self._sessions.values():
            if session.hears(event):
                may_read = session.intents & MESSAGE_CONTENT
                session.dispatch(event.name, event.full if may_read else event.bare)

    def identify(self, form: Mapping[str, object], link: Link) -> Session | None:
        """Begin a session; None after telling a client that it was too quick; HangUp."""
        self._check_token(form)
        intents, given = self._intents(form.get("intents")), form.get("shard")
        shard = (0, 1) if given is None else read_shard(given)
        guilds = [one for one in self._world.guilds.values() if covers(shard, one.id)]
        if len(guilds) > GUILDS_PER_SHARD:
            raise HangUp(4011, "Sharding required.")
        if self._is_too_quick():
            link.push({"op": INVALID_SESSION, "d": False})
            return None
        session = Session(secrets.token_hex(16), intents, shard, link)
        self._sessions[session.id] = session
        session.dispatch("READY", self._ready(session, guilds, is_sharded=given is not None))
        for guild in guilds if intents & GUILDS else []:
            session.dispatch("GUILD_CREATE", self._places.joined_guild(guild))
        return session

    def resume(self, form: Mapping[str, object], link: Link) -> Session | None:
        """Go on with a session; None after telling a client that it is gone; HangUp."""
        self._check_token(form)
        self._forget()
        session, sequence = self._sessions.get(str(form.get("session_id"))), form.get("seq")
        if session is None:
            link.push({"op": INVALID_SESSION, "d": False})
            return None
        if not isinstance(sequence, int) or not 0 <= sequence <= session.sequence:
            del self._sessions[session.id]
            raise HangUp(4007, "Invalid seq.")
        missed = session.missed(sequence)
        if missed is None:
            link.push({"op": INVALID_SESSION, "d": False})
            return None
        if session.link is not None:
            session.link.end(4000, "Resumed elsewhere.")
        session.link = link
        for payload in missed:
            link.push(payload)
        session.dispatch("RESUMED", {"_trace": []})
        return session

    def part(self, link: Link, code: int | None) -> None:
        """Note that a connection is over, closed by the client with this code if it did."""
        for session in [one for one in self._sessions.values() if one.link is link]:
            session.link, session.parted_at = None, self._world.clock.monotonic()
            if code in CLEAN_CLOSES:
                del self._sessions[session.id]

    def invalidate(self) -> None:
        """Forget all sessions."""
        self._sessions.clear()

    def dispatch(self, name: str, data: Mapping[str, object]) -> None:
        """Send anything at all to everyone."""
        for session in self._sessions.values():
            session.dispatch(name, data)

    def members(self, session: Session, form: Mapping[str, object]) -> None:
        """Answer a request for members of a guild."""
        guild = self._world.guilds.get(str(form.get("guild_id")))
        if guild is None:
            return
        wanted = self._wanted(guild, form)
        told: Payload = {
            "guild_id": guild.id,
            "members": [self._places.full_member(one, guild) for one in wanted],
            "chunk_index": 0,
            "chunk_count": 1,
            "not_found": [],
        }
        session.dispatch("GUILD_MEMBERS_CHUNK", told | nonce_of(form))

    def start_limit(self) -> Payload:
        """https://discord.com/developers/docs/events/gateway#session-start-limit-object."""
        now = self._world.clock.monotonic()
        used = self._counters.used("starts", STARTS, now)
        limit: Payload = {"total": STARTS.limit, "remaining": STARTS.limit - used}
        return {**limit, "reset_after": int(STARTS.per * 1000), "max_concurrency": 1}

    def _check_token(self, form: Mapping[str, object]) -> None:
        # Some libraries put the scheme of REST before it, and the service lets them.
        if str(form.get("token")).removeprefix("Bot ") != self._world.application.token:
            raise HangUp(4004, "Authentication failed.")

    def _intents(self, given: object) -> int:
        if not isinstance(given, int) or isinstance(given, bool) or given & ~KNOWN:
            raise HangUp(4013, "Invalid intent(s).")
        if given & PRIVILEGED & ~self._world.application.privileged:
            raise HangUp(4014, "Disallowed intent(s).")
        return given

    def _is_too_quick(self) -> bool:
        if self._rules is None:
            return False
        now = self._world.clock.monotonic()
        if self._counters.take("identify", self._rules.identify, now).is_exceeded:
            return True
        if self._counters.take("starts", STARTS, now).is_exceeded:
            raise HangUp(4004, "Authentication failed.")
        return False

    def _ready(self, session: Session, guilds: list[Guild], *, is_sharded: bool) -> Payload:
        application = self._places.application()
        return {
            "v": 10,
            "user": self._places.me(),
            "user_settings": {},
            "guilds": [{"id": one.id, "unavailable": True} for one in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": self.url,
            **({"shard": list(session.shard)} if is_sharded else {}),
            "application": {"id": application["id"], "flags": application["flags"]},
            "private_channels": [],
            "presences": [],
            "relationships": [],
            "guild_join_requests": [],
            "_trace": [],
        }

    def _wanted(self, guild: Guild, form: Mapping[str, object]) -> list[str]:
        given = form.get("user_ids")
        if given is not None:
            listed = given if isinstance(given, list) else [given]
            return [one for one in guild.members if one in map(str, listed)]
        start, limit = str(form.get("query", "")).lower(), form.get("limit")
        names = {one: self._world.persons[one].name.lower() for one in guild.members}
        found = [one for one in guild.members if names[one].startswith(start)]
        return found[:limit] if isinstance(limit, int) and limit > 0 else found

    def _forget(self) -> None:
        now = self._world.clock.monotonic()
        for session in list(self._sessions.values()):
            if session.link is None and now - session.parted_at > RESUMABLE:
                del self._sessions[session.id]


def covers(shard: tuple[int, int], guild: str | None) -> bool:
    """Whether a guild is on a shard; what has no guild is on the first.

    https://discord.com/developers/docs/events/gateway#sharding
    """
    index, count = shard
    return index == ((int(guild) >> 22) % count if guild else 0)


def read_shard(given: object) -> tuple[int, int]:
    """Read which shard of how many a client is."""
    match given:
        case [int(index), int(count)] if 0 <= index < count:
            return index, count
    raise HangUp(4010, "Invalid shard.")


def nonce_of(form: Mapping[str, object]) -> Payload:
    """The nonce of a request, for its answer."""
    return {"nonce": form["nonce"]} if "nonce" in form else {}
