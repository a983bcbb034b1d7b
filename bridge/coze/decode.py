"""Reads Coze's JSON into small values, tolerating whatever its servers have been seen to send.

https://www.coze.com/docs/developer_guides/chat_v3 describes the objects. Real answers differ:
numbers come as strings, objects as null, fields are unknown or missing, words are misspelt.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bridge.model import (
    ActionRequired,
    ChatCancelled,
    ChatCompleted,
    ChatFailed,
    ChatRef,
    ConversationId,
    CozeChatId,
    CozeMessageId,
)

Fields = Mapping[str, object]
Status = Literal["running", "completed", "failed", "waiting", "cancelled"]
Ending = ChatCompleted | ChatFailed | ChatCancelled | ActionRequired

STATUSES: Mapping[str, Status] = {
    "completed": "completed",
    "compleated": "completed",
    "failed": "failed",
    "expired": "failed",
    "deleted": "failed",
    "requires_action": "waiting",
    "required_action": "waiting",
    "canceled": "cancelled",
    "cancelled": "cancelled",
}
# coze-studio names the payload of some endpoints after its own types.
PAYLOADS = ("data", "ChatV3ChatDetail", "Messages", "ConversationData")


@dataclass(frozen=True, slots=True)
class Failure:
    """Why Coze did not do it; code 0 where it does not tell."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What every JSON answer is wrapped in."""

    failure: Failure | None
    payload: object
    log_id: str | None


@dataclass(frozen=True, slots=True)
class Chat:
    """One run of the agent."""

    id: CozeChatId
    conversation: ConversationId
    status: Status
    failure: Failure
    tools: tuple[str, ...]
    input_tokens: int
    output_tokens: int

    @property
    def ref(self) -> ChatRef | None:
        """How to ask for it again, where both ids are known."""
        return ChatRef(self.conversation, self.id) if self.id and self.conversation else None


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a conversation, or a piece of one."""

    id: CozeMessageId
    chat: CozeChatId
    conversation: ConversationId
    role: str  # user, assistant
    kind: str  # answer, function_call, tool_output, verbose, follow_up, question, …
    content: str
    content_type: str
    reasoning: str
    meta_data: Fields
    created_at: int


def parse(text: str | bytes) -> object:
    """Decode JSON; None where it is none."""
    if isinstance(text, bytes):
        text = text.decode("utf-8-sig", errors="replace")
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None


def envelope_of(value: object) -> Envelope:
    """Read an answer's frame; a success has no failure."""
    fields = as_fields(value)
    failure = failure_of(fields)
    log_id = as_text(as_fields(fields.get("detail")).get("logid"))
    payload = next((fields[key] for key in PAYLOADS if fields.get(key) is not None), None)
    return Envelope(failure, payload, log_id or None)


def failure_of(value: object) -> Failure | None:
    """Read `{"code", "msg"}`; None for the code 0 or null, and for anything else."""
    fields = as_fields(value)
    code = as_number(fields.get("code"))
    return Failure(code, reason_of(fields)) if code else None


def reason_of(fields: Fields) -> str:
    """The sentence beside a code."""
    return as_text(fields.get("msg")) or as_text(fields.get("message"))


def chat_of(value: object) -> Chat:
    """Read a Chat object, or what a failed one shrinks to: a bare `{"code", "msg"}`."""
    fields = as_fields(value)
    word = as_text(fields.get("status")).removeprefix("conversation.chat.")
    usage = as_fields(fields.get("usage"))
    last_error = fields.get("last_error")
    return Chat(
        id=CozeChatId(as_text(fields.get("id"))),
        conversation=ConversationId(as_text(fields.get("conversation_id"))),
        status=STATUSES.get(word, "running"),
        failure=failure_of(last_error)
        or failure_of(fields)
        or Failure(0, reason_of(as_fields(last_error)) or reason_of(fields) or word),
        tools=tools_of(fields.get("required_action")),
        input_tokens=count_of(usage, "input"),
        output_tokens=count_of(usage, "output"),
    )


def tools_of(value: object) -> tuple[str, ...]:
    """The local plugins a run waits for; none where it waits for the person's reply."""
    outputs = as_fields(as_fields(value).get("submit_tool_outputs"))
    functions = (
        as_fields(call.get("function"))
        for call in map(as_fields, as_list(outputs.get("tool_calls")))
        if call.get("type") != "reply_message"
    )
    return tuple(as_text(function.get("name")) for function in functions if function)


def count_of(usage: Fields, side: str) -> int:
    """Tokens of one side: the documents know two names for them."""
    counted = as_number(usage.get(f"{side}_count"))
    return counted if counted is not None else as_number(usage.get(f"{side}_tokens")) or 0


def message_of(value: object) -> ChatMessage:
    """Read a Message object."""
    fields = as_fields(value)
    return ChatMessage(
        id=CozeMessageId(as_text(fields.get("id"))),
        chat=CozeChatId(as_text(fields.get("chat_id"))),
        conversation=ConversationId(as_text(fields.get("conversation_id"))),
        role=as_text(fields.get("role")),
        kind=as_text(fields.get("type")),
        content=as_text(fields.get("content")),
        content_type=as_text(fields.get("content_type")),
        reasoning=as_text(fields.get("reasoning_content")),
        meta_data=as_fields(fields.get("meta_data")),
        created_at=as_number(fields.get("created_at")) or 0,
    )


def messages_of(value: object) -> tuple[ChatMessage, ...]:
    """Read a list of messages."""
    return tuple(message_of(item) for item in as_list(value))


def ending_of(chat: Chat, *, log_id: str | None = None) -> Ending | None:
    """How a chat ended; None while it runs."""
    match chat.status:
        case "running":
            return None
        case "completed":
            return ChatCompleted(chat.input_tokens, chat.output_tokens)
        case "failed":
            return ChatFailed(chat.failure.code, chat.failure.reason, log_id)
        case "waiting":
            return ActionRequired(chat.tools)
        case "cancelled":
            return ChatCancelled()


def as_fields(value: object) -> Fields:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def as_list(value: object) -> list[object]:
    """The array, or an empty one."""
    return value if isinstance(value, list) else []


def as_text(value: object) -> str:
    """The text, an id that came as a number, or nothing; always something UTF-8 can carry."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return ""
    # JSON can spell half a surrogate pair, which nothing behind us could send on.
    return value.encode("utf-8", errors="replace").decode("utf-8")


def as_number(value: object) -> int | None:
    """The whole number, also where it came as a string; else None."""
    if isinstance(value, (str, int, float)) and not isinstance(value, bool):
        try:
            return int(value)
        except (ValueError, OverflowError):
            return None
    return None
