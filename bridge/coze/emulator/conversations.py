"""The routes of conversations and their messages.

https://www.coze.com/docs/developer_guides/create_conversation
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Literal

import msgspec
from aiohttp import web

from bridge.coze.emulator.answers import Answers, json_body, number, required
from bridge.coze.emulator.asked import EnterMessage, check_messages, check_meta_data, convert
from bridge.coze.emulator.flavour import Flavour
from bridge.coze.emulator.state import Account, Conversation, Message
from bridge.coze.emulator.wire import conversation_object, message_object
from bridge.errors import BackendRejected

OPENING_MESSAGES = 16
PAGE = 50


class Creation(msgspec.Struct, frozen=True):
    """The body of create; everything is optional."""

    bot_id: str | None = None
    name: Annotated[str, msgspec.Meta(max_length=100)] | None = None
    messages: list[EnterMessage] | None = None
    connector_id: str | None = None
    meta_data: dict[str, str] | None = None


class Listing(msgspec.Struct, frozen=True):
    """The body of a list of messages."""

    order: Literal["asc", "desc"] | None = None
    chat_id: str | None = None
    before_id: str | None = None
    after_id: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=PAGE)] | None = None
    include_middle_message: bool | None = None


class ConversationRoutes:
    """Conversations: create, retrieve, list, clear, and the messages in them."""

    def __init__(self, account: Account, flavour: Flavour, answers: Answers) -> None:
        self._account = account
        self._flavour = flavour
        self._answers = answers

    def routes(self) -> list[web.RouteDef]:
        """Where they are."""
        return [
            web.post("/v1/conversation/create", self.create),
            web.get("/v1/conversation/retrieve", self.retrieve),
            web.get("/v1/conversations", self.list_all),
            web.post("/v1/conversations/{id}/clear", self.clear),
            web.post("/v1/conversation/message/list", self.list_messages),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Open a conversation."""
        creation = convert(json_body(request), Creation)
        if creation.bot_id and creation.bot_id not in self._account.bots:
            raise BackendRejected(5000, "internal error")
        messages = tuple(creation.messages or ())
        if len(messages) > OPENING_MESSAGES:
            raise BackendRejected(4004, f"at most {OPENING_MESSAGES} messages")
        check_messages(messages, is_saved=True)
        check_meta_data(creation.meta_data)
        opened = replace(
            self._account.open_conversation(creation.bot_id or ""),
            name=creation.name or "",
            connector_id=creation.connector_id or "1024",
            meta_data=creation.meta_data or {},
        )
        self._account.conversations[opened.id] = opened
        for message in messages:
            self._account.enter(opened, message, None)
        return self._answers.ok(request, conversation_object(opened, self._account.owner))

    async def retrieve(self, request: web.Request) -> web.Response:
        """Tell what is known of a conversation."""
        conversation = self._known(required(request, "conversation_id"))
        return self._answers.ok(request, conversation_object(conversation, self._account.owner))

    async def list_all(self, request: web.Request) -> web.Response:
        """List a bot's conversations, the newest first."""
        bot_id = required(request, "bot_id")
        page = int(number(request.query.get("page_num", "1"), "page_num"))
        size = int(number(request.query.get("page_size", str(PAGE)), "page_size"))
        if not page or not 1 <= size <= PAGE:
            raise BackendRejected(4000, f"page_size is 1 to {PAGE}")
        conversations = self._account.conversations.values()
        found = [one for one in reversed(conversations) if one.bot_id == bot_id]
        if request.query.get("sort_order", "").upper() == "ASC":
            found.reverse()
        shown = found[(page - 1) * size : page * size]
        listed = [conversation_object(one, self._account.owner) for one in shown]
        has_more = len(found) > page * size
        return self._answers.ok(request, {"conversations": listed, "has_more": has_more})

    async def clear(self, request: web.Request) -> web.Response:
        """Begin a new section: the model forgets, the messages stay."""
        conversation = self._known(number(request.match_info["id"], "conversation_id"))
        cleared = replace(conversation, section_id=self._account.new_id())
        self._account.conversations[cleared.id] = cleared
        section = {"id": cleared.section_id, "conversation_id": cleared.id}
        return self._answers.ok(request, section)

    async def list_messages(self, request: web.Request) -> web.Response:
        """List a conversation's saved messages, page by page."""
        conversation = self._known(required(request, "conversation_id"))
        listing = convert(json_body(request), Listing)
        found = [m for m in self._account.history_of(conversation) if is_listed(m, listing)]
        if listing.order != "asc":
            found.reverse()
        shown, has_more = page_of(found, listing)
        return self._answers.ok(
            request,
            [message_object(message, self._flavour) for message in shown],
            first_id=shown[0].id if shown else "",
            last_id=shown[-1].id if shown else "",
            has_more=has_more,
        )

    def _known(self, id_: str) -> Conversation:
        conversation = self._account.conversations.get(id_)
        if conversation is None:
            raise BackendRejected(4002, "invalid conversation")
        return conversation


def is_listed(message: Message, listing: Listing) -> bool:
    """Whether a listing asks for this message."""
    is_wanted = not listing.chat_id or listing.chat_id == message.chat_id
    is_end = message.type in {"question", "answer"}
    return is_wanted and (is_end or bool(listing.include_middle_message))


def page_of(found: Sequence[Message], listing: Listing) -> tuple[Sequence[Message], bool]:
    """The messages of a page, and whether there are more beyond it."""
    limit = listing.limit or PAGE
    ids = [message.id for message in found]
    if listing.before_id:
        end = position(ids, listing.before_id)
        return found[max(0, end - limit) : end], end > limit
    start = position(ids, listing.after_id) + 1 if listing.after_id else 0
    return found[start : start + limit], len(found) > start + limit


def position(ids: list[str], id_: str) -> int:
    """Where a message stands; BackendRejected 4000 when it does not."""
    if id_ not in ids:
        raise BackendRejected(4000, "Request parameter error: no such message")
    return ids.index(id_)
