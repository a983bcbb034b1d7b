"""The routes under /v3/chat.

https://www.coze.com/docs/developer_guides/chat_v3
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import msgspec
from aiohttp import web

from bridge.clock import Clock
from bridge.coze.emulator.answers import RAW, Answers, json_body, number, required
from bridge.coze.emulator.asked import Asked, ChatBody, convert, read
from bridge.coze.emulator.feed import Feed
from bridge.coze.emulator.flavour import Flavour
from bridge.coze.emulator.play import Fault, Play
from bridge.coze.emulator.run import Runs
from bridge.coze.emulator.seeds import seed_play
from bridge.coze.emulator.state import RUNNING, Account, Chat, Conversation
from bridge.coze.emulator.wire import begun_object, chat_object, message_object
from bridge.errors import BackendRejected

BODY = 15 * 1024 * 1024
# Documented is once a second, yet Coze serves its own JavaScript library, which polls every 0.1 s.
POLL_INTERVAL = 0.09


class ChatName(msgspec.Struct, frozen=True):
    """The body of a cancel."""

    conversation_id: str
    chat_id: str


class ToolOutput(msgspec.Struct, frozen=True):
    """What a local plugin gave."""

    tool_call_id: str
    output: str


class Submission(msgspec.Struct, frozen=True):
    """The body of submit_tool_outputs."""

    tool_outputs: list[ToolOutput]
    stream: bool = False


@dataclass(slots=True)
class Plays:
    """What the next chats do: the queue first, `otherwise` when it is empty."""

    queue: deque[Play] = field(default_factory=deque)
    otherwise: Callable[[Asked], Play] = seed_play

    def take(self, asked: Asked) -> Play:
        """The play of this chat."""
        return self.queue.popleft() if self.queue else self.otherwise(asked)


class ChatRoutes:
    """Chats: ask, retrieve, list, cancel, submit."""

    def __init__(
        self,
        account: Account,
        flavour: Flavour,
        answers: Answers,
        runs: Runs,
        plays: Plays,
        clock: Clock,
        pace: float,
    ) -> None:
        self._account = account
        self._flavour = flavour
        self._answers = answers
        self._runs = runs
        self._plays = plays
        self._clock = clock
        self._pace = pace
        self._polled: dict[str, float] = {}

    def routes(self) -> list[web.RouteDef]:
        """Where they are."""
        routes = [
            web.post("/v3/chat", self.ask),
            web.get("/v3/chat/retrieve", self.retrieve),
            web.get("/v3/chat/message/list", self.list_messages),
            web.post("/v3/chat/cancel", self.cancel),
        ]
        if self._flavour.has_all_routes:
            routes.append(web.post("/v3/chat/retrieve", self.retrieve))
            routes.append(web.post("/v3/chat/submit_tool_outputs", self.submit))
        return routes

    async def ask(self, request: web.Request) -> web.StreamResponse:
        """Begin a chat, or refuse to."""
        if len(request[RAW]) > BODY:
            raise BackendRejected(4000, "the body is too large")
        body = self._with_defaults(convert(json_body(request), ChatBody))
        asked = read(body)
        conversation = self._conversation_to_use(request, asked)
        if conversation and self._is_occupied(conversation):
            return self._occupied(request, is_stream=bool(body.stream))
        play = self._plays.take(asked)
        fault = play.fault or Fault()
        if fault.instead is not None:
            if fault.is_started:
                self._begin(conversation, asked, play)
            return await self._answers.instead(request, fault.instead)
        chat, feed = self._begin(conversation, asked, play)
        if body.stream:
            return await self._answers.stream(request, feed, fault)
        return self._answers.ok(request, begun_object(chat, self._flavour))

    async def retrieve(self, request: web.Request) -> web.Response:
        """Tell how a chat stands, if not asked too often."""
        chat = self._readable(request)
        now = self._clock.monotonic()
        if self._flavour.limits_polling and now - self._polled.get(chat.id, -1.0) < POLL_INTERVAL:
            raise BackendRejected(
                4009, "too many requests for this chat; retrieve it once a second"
            )
        self._polled[chat.id] = now
        return self._answers.ok(request, chat_object(chat, self._flavour))

    async def list_messages(self, request: web.Request) -> web.Response:
        """List what a chat has produced so far."""
        messages = self._account.answers_of(self._readable(request))
        listed = [message_object(message, self._flavour) for message in messages]
        return self._answers.ok(request, listed)

    async def cancel(self, request: web.Request) -> web.Response:
        """Flip a running chat's state; what runs goes on running."""
        name = convert(json_body(request), ChatName)
        chat = self._named(number(name.conversation_id, "conversation_id"), name.chat_id)
        if chat.status not in RUNNING:
            raise BackendRejected(4104, "the chat cannot be cancelled")
        chat = replace(chat, status="canceled", ended_at=self._account.now())
        self._account.chats[chat.id] = chat
        return self._answers.ok(request, chat_object(chat, self._flavour))

    async def submit(self, request: web.Request) -> web.StreamResponse:
        """Go on with a chat that waits for local plugins."""
        chat = self._named(required(request, "conversation_id"), required(request, "chat_id"))
        submission = convert(json_body(request), Submission)
        if not chat.asked.is_saved:
            raise BackendRejected(5000, "internal error")
        wanted = {call.id for call in chat.calls if call.name}
        given = {output.tool_call_id for output in submission.tool_outputs}
        if chat.status != "requires_action" or not wanted or given != wanted:
            raise BackendRejected(4000, "the chat does not wait for these tools")
        self._account.chats[chat.id] = replace(chat, status="in_progress", calls=())
        feed = self._runs.resume(chat)
        if submission.stream:
            return await self._answers.stream(request, feed, Fault())
        return self._answers.ok(request, begun_object(chat, self._flavour))

    def _with_defaults(self, body: ChatBody) -> ChatBody:
        if body.stream is None:
            body = msgspec.structs.replace(body, stream=self._flavour.streams_by_default)
        if self._flavour.heeds_all_fields:
            return body
        return msgspec.structs.replace(body, auto_save_history=True, meta_data=None)

    def _conversation_to_use(self, request: web.Request, asked: Asked) -> Conversation | None:
        text = request.query.get("conversation_id")
        if text == "" and self._flavour.takes_empty_id:
            text = None
        id_ = None if text is None else number(text, "conversation_id")
        self._account.check_bot(asked.bot_id)
        for part in asked.parts:
            if part.file_id and not part.file_url and part.file_id not in self._account.uploads:
                raise BackendRejected(4000, "Request parameter error: no such file_id")
        if id_ is None:
            return None
        conversation = self._account.conversations.get(id_)
        if conversation is None and not self._flavour.opens_unknown:
            raise BackendRejected(4002, "invalid conversation")
        return conversation

    def _begin(
        self, conversation: Conversation | None, asked: Asked, play: Play
    ) -> tuple[Chat, Feed]:
        conversation = conversation or self._account.open_conversation(asked.bot_id)
        chat = self._account.open_chat(conversation, asked)
        pace = self._pace if play.pace is None else play.pace
        return chat, self._runs.start(chat, play, pace)

    def _is_occupied(self, conversation: Conversation) -> bool:
        return self._flavour.runs_once and self._account.is_occupied(conversation.id)

    def _occupied(self, request: web.Request, *, is_stream: bool) -> web.Response:
        error = BackendRejected(
            4016, "Conversation occupied: a chat is running in it; wait for its end"
        )
        if is_stream and self._account.tells_occupied_in_stream:
            return self._answers.error_event(error.code, error.reason)
        return self._answers.refusal(request, error)

    def _readable(self, request: web.Request) -> Chat:
        chat = self._named(required(request, "conversation_id"), required(request, "chat_id"))
        if not chat.asked.is_saved:
            raise BackendRejected(4001, "a chat without history cannot be read back")
        return chat

    def _named(self, conversation_id: str, chat_id: str) -> Chat:
        if conversation_id not in self._account.conversations:
            raise BackendRejected(4002, "invalid conversation")
        chat = self._account.chats.get(chat_id)
        if chat is None or chat.conversation_id != conversation_id:
            raise BackendRejected(4001, "invalid chat")
        return chat
