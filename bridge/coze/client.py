"""The agent of one bot, over the Coze Open API: implements `bridge.ports.ChatBackend`."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Literal, Self

import httpx

from bridge.clock import Clock
from bridge.coze import check
from bridge.coze.auth import FixedToken, ServiceToken
from bridge.coze.begin import Begun, begin, is_worth_repeating, persistent
from bridge.coze.decode import (
    Envelope,
    as_fields,
    as_text,
    messages_of,
)
from bridge.coze.errors import has_ended, is_gone
from bridge.coze.recovery import name_of, recovered
from bridge.coze.request import TURN, ChatRequest
from bridge.coze.settings import CozeSettings, request_for
from bridge.coze.transport import Transport, limits_of
from bridge.errors import (
    BackendRejected,
    BackendUnavailable,
    ConfigError,
    StreamInterrupted,
)
from bridge.log import get_logger
from bridge.model import (
    ChatEvent,
    ChatRef,
    ChatStarted,
    ConversationId,
    MediaRef,
    Question,
    TurnId,
    Uploaded,
)

log = get_logger(__name__)

# Streams are long and many; between turns few connections are worth keeping.
POOL = httpx.Limits(max_connections=None, max_keepalive_connections=50, keepalive_expiry=15.0)
RECENT = 50  # messages: the most Coze lists at once, and the newest chat is among them
UPLOAD_LIMIT = 300.0  # seconds between two bytes: a large file is stored before it is answered


class CozeClient:
    """One agent. Use it in `async with`; raises BackendError as `ChatBackend` promises.

    `ask` may raise StreamInterrupted even before its first event: Coze may have the question, and
    could not be asked whether it does. Then `find` tells later.
    """

    def __init__(self, settings: CozeSettings, clock: Clock) -> None:
        """Prepare; ConfigError when a URL, a proxy or a service identity's key is none."""
        self._settings = settings
        base_url = checked(settings.base_url.rstrip("/"))
        self._http = http_client(settings.proxy or None)
        credentials = settings.credentials
        tokens = (
            FixedToken(credentials)
            if isinstance(credentials, str)
            else ServiceToken(credentials, self._http, base_url, clock)
        )
        self._transport = Transport(self._http, base_url, tokens)
        # None of these calls does harm when it is made twice.
        self._persist = persistent(settings.patience).on(is_worth_repeating)

    async def __aenter__(self) -> Self:
        """Open the connections' pool."""
        await self._http.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> None:
        """Close all connections."""
        await self._http.aclose()

    async def check(self) -> str:
        """The agent's name; ConfigError tells in one sentence what to change."""

        async def get(path: str) -> Envelope:
            return await self._transport.call("GET", path)

        settings = self._settings
        key = "coze.token" if isinstance(settings.credentials, str) else "coze.oauth"
        return await check.agent_name(get, self._transport.base_url, settings.bot_id, key)

    # --- chats ---

    @asynccontextmanager
    async def ask(self, question: Question) -> AsyncGenerator[AsyncIterator[ChatEvent]]:
        """Ask, and yield what happens."""
        async with self.chat(request_for(self._settings, question), question.turn) as events:
            yield events

    @asynccontextmanager
    async def chat(
        self, request: ChatRequest, turn: TurnId
    ) -> AsyncGenerator[AsyncIterator[ChatEvent]]:
        """Ask what the request says; `turn` is in its meta_data, to be found again by."""
        begun = await self._begin(request, turn)
        try:
            yield begun.events()
        finally:
            await begun.close()

    async def start(self, question: Question) -> ChatRef:
        """Ask without a stream; `recover` waits for the answer. Raises what `ask` raises."""
        request = request_for(self._settings, question, stream=False)
        begun = await self._begin(request, question.turn)
        await begun.close()
        if not isinstance(begun.first, ChatStarted):
            raise StreamInterrupted("the chat has no name")
        return begun.first.ref

    @asynccontextmanager
    async def recover(self, ref: ChatRef) -> AsyncGenerator[AsyncIterator[ChatEvent]]:
        """Wait for the end of a chat, and yield its answers, whole.

        Raises StreamInterrupted when out of patience, BackendRejected when Coze knows no such chat.
        """
        async with aclosing(recovered(self._transport, ref, self._settings.patience)) as events:
            yield events

    async def find(self, conversation: ConversationId, turn: TurnId) -> ChatRef | None:
        """Look for the turn's id among the newest messages of the conversation.

        Raises StreamInterrupted where the server keeps no such ids, as coze-studio does: then
        nobody can tell, and the question must not be asked again.
        """
        try:
            page = await self._persist(
                self._transport.call,
                "POST",
                "/v1/conversation/message/list",
                query={"conversation_id": conversation},
                body={"order": "desc", "limit": RECENT},
            )
        except BackendRejected as error:
            if is_gone(error.code, error.reason):
                return None
            raise
        messages = messages_of(page.payload)
        for message in messages:
            if message.chat and message.meta_data.get(TURN) == turn:
                return ChatRef(conversation, message.chat)
        newest = next((message for message in messages if message.role == "user"), None)
        if newest and TURN not in newest.meta_data:
            raise StreamInterrupted("the newest question does not tell whose turn it is")
        return None

    async def cancel(self, ref: ChatRef) -> None:
        """Tell Coze to stop; generating goes on there, so the stream has to be closed, too."""
        try:
            await self._persist(self._transport.call, "POST", "/v3/chat/cancel", body=name_of(ref))
        except BackendRejected as error:
            if not has_ended(error.code):
                raise

    # --- conversations and files ---

    async def create_conversation(self) -> ConversationId:
        """Open a conversation."""
        body = {"bot_id": self._settings.bot_id}
        if self._settings.connector_id:
            body["connector_id"] = self._settings.connector_id
        created = await self._persist(
            self._transport.call, "POST", "/v1/conversation/create", body=body
        )
        return ConversationId(id_in(created))

    async def clear(self, conversation: ConversationId) -> None:
        """Make the agent forget what was said; the conversation keeps its id."""
        await self._persist(self._transport.call, "POST", f"/v1/conversations/{conversation}/clear")

    async def upload(self, ref: MediaRef, content: bytes) -> Uploaded:
        """Hand a file to Coze, which judges it by the extension of its name."""
        kind: Literal["image", "audio", "file"] = "file"
        if ref.mime_type.startswith("image/"):
            kind = "image"
        elif ref.mime_type.startswith("audio/"):
            kind = "audio"
        uploaded = await self._persist(
            self._transport.call,
            "POST",
            "/v1/files/upload",
            files={"file": (ref.name, content)},
            limits=limits_of(read=UPLOAD_LIMIT, write=UPLOAD_LIMIT),
        )
        return Uploaded(kind, id_in(uploaded))

    # --- how ---

    async def _begin(self, request: ChatRequest, turn: TurnId) -> Begun:
        async def look_up() -> ChatRef | None:
            conversation = request.conversation_id
            return await self.find(conversation, turn) if conversation else None

        return await begin(self._transport, request, look_up, self._settings.patience)


def checked(url: str) -> str:
    """The URL; ConfigError when it is none."""
    try:
        httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ConfigError("coze.base_url", f"{url!r} is no URL: {error}") from error
    return url


def http_client(proxy: str | None) -> httpx.AsyncClient:
    """A client through `proxy`; without one, the usual environment variables decide."""
    try:
        return httpx.AsyncClient(
            proxy=proxy, trust_env=proxy is None, limits=POOL, timeout=limits_of()
        )
    except ValueError as error:
        raise ConfigError("coze.proxy", f"or the environment's: {error}") from error


def id_in(answer: Envelope) -> str:
    """The id of what was made; BackendUnavailable when there is none."""
    if id_ := as_text(as_fields(answer.payload).get("id")):
        return id_
    raise BackendUnavailable("answered without an id", log_id=answer.log_id)
