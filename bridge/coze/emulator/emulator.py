"""Puts the emulated Coze together, and tells tests and the sandbox what happens in it."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType

from aiohttp import web

from bridge.clock import Clock, SystemClock
from bridge.coze.emulator.accounts import AccountRoutes
from bridge.coze.emulator.answers import Answers
from bridge.coze.emulator.asked import Asked
from bridge.coze.emulator.chats import ChatRoutes, Plays
from bridge.coze.emulator.conversations import ConversationRoutes
from bridge.coze.emulator.flavour import FLAVOURS, FlavourName
from bridge.coze.emulator.gate import Gate
from bridge.coze.emulator.play import Play, Reply
from bridge.coze.emulator.record import Download, Record, Request
from bridge.coze.emulator.run import Runs, Stage
from bridge.coze.emulator.state import RUNNING, Account, Chat, Conversation, Message, Upload
from bridge.coze.emulator.steps import End
from bridge.coze.emulator.tokens import OAuthApp, Tokens
from bridge.serving import serving

LARGEST = 512 * 1024 * 1024  # of an upload


class CozeEmulator:
    """An account at Coze with one bot or more, answered from plays.

    `pace` is the time between two deltas; `flavour` "studio" is the self-hosted server.
    """

    def __init__(
        self,
        token: str,
        bot_id: str,
        *,
        pace: float = 0.0,
        clock: Clock | None = None,
        flavour: FlavourName = "hosted",
        oauth: OAuthApp | None = None,
    ) -> None:
        clock = clock or SystemClock()
        self._clock = clock
        self._flavour = FLAVOURS[flavour]
        self._pace = pace
        self._account = Account(bot_id, clock)
        self._plays = Plays()
        self._record = Record()
        self._tokens = Tokens(token, oauth, clock)
        self._failures: defaultdict[str, deque[Reply | End]] = defaultdict(deque)

    @asynccontextmanager
    async def open(self, bind: str = "127.0.0.1:0") -> AsyncIterator[str]:
        """Serve, and yield the base URL; runs that are not over end with it."""
        answers = Answers(self._flavour)
        runs = Runs(Stage(self._account, self._record, self._flavour))
        # The runs end before the server does: it would wait for those who listen to them.
        async with serving(self._application(answers, runs), bind) as url, runs:
            try:
                yield url
            finally:
                answers.close()

    # --- what happens next ---

    def play(self, *plays: Play) -> None:
        """Queue what the next chats do, in order."""
        self._plays.queue.extend(plays)

    def otherwise(self, play_for: Callable[[Asked], Play]) -> None:
        """Replace the two seeds as what chats do when nothing is queued."""
        self._plays.otherwise = play_for

    def fail(self, path: str, reply: Reply | End, times: int = 1) -> None:
        """Answer the next requests for a path with this, whatever they are."""
        self._failures[path].extend([reply] * times)

    def forget(self, conversation_id: str) -> None:
        """Lose a conversation: from now on it is unknown."""
        self._account.conversations.pop(conversation_id, None)

    def add_bot(self, bot_id: str) -> None:
        """Give the account another bot."""
        self._account.bots.add(bot_id)

    def publish(self, *, is_published: bool) -> None:
        """Publish the bots to the API, or withdraw them: 4015."""
        self._account.is_published = is_published

    def tell_occupied_in_stream(self) -> None:
        """From now on 4016 comes as an `error` event, where a stream was asked for."""
        self._account.tells_occupied_in_stream = True

    # --- what happened ---

    @property
    def chats(self) -> Mapping[str, Chat]:
        """All chats by id, the oldest first."""
        return MappingProxyType(self._account.chats)

    @property
    def conversations(self) -> Mapping[str, Conversation]:
        """All conversations by id, the oldest first."""
        return MappingProxyType(self._account.conversations)

    @property
    def messages(self) -> list[Message]:
        """All messages, asked and answered, as they came."""
        return list(self._account.messages)

    @property
    def uploads(self) -> list[Upload]:
        """All uploaded files, with their bytes."""
        return list(self._account.uploads.values())

    @property
    def downloads(self) -> list[Download]:
        """The newest files that were fetched from a `file_url`, with their bytes."""
        return list(self._record.downloads)

    @property
    def requests(self) -> list[Request]:
        """The newest requests, with their bytes."""
        return list(self._record.requests)

    async def changed(self) -> None:
        """Return at the next request, download or change of a chat's status."""
        await self._record.changed.wait()

    async def idle(self) -> None:
        """Return when no chat is running, whether anyone listens to it or not."""
        while any(chat.status in RUNNING for chat in self.chats.values()):
            await self.changed()

    def _application(self, answers: Answers, runs: Runs) -> web.Application:
        account, flavour = self._account, self._flavour
        gate = Gate(flavour, answers, self._tokens, self._record, self._failures)
        application = web.Application(middlewares=[gate.pass_through], client_max_size=LARGEST)
        application.on_response_prepare.append(gate.sign)
        chats = ChatRoutes(account, flavour, answers, runs, self._plays, self._clock, self._pace)
        conversations = ConversationRoutes(account, flavour, answers)
        accounts = AccountRoutes(account, flavour, answers, self._tokens)
        for room in (chats, conversations, accounts):
            application.add_routes(room.routes())
        application.router.add_route("*", "/{path:.*}", gate.unknown)
        return application
