"""Reads the body of POST /v3/chat as strictly as Coze does.

https://www.coze.com/docs/developer_guides/chat_v3
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import msgspec

from bridge.errors import BackendRejected

MESSAGES = 100  # additional_messages of one chat
PAIRS, KEY, VALUE = 16, 64, 512  # of meta_data

T = TypeVar("T")


class Part(msgspec.Struct, frozen=True):
    """An element of an object_string."""

    type: Literal["text", "file", "image", "audio"]
    text: str | None = None
    file_id: str | None = None
    file_url: str | None = None


class EnterMessage(msgspec.Struct, frozen=True):
    """A message that a request brings along."""

    role: str
    content: str | None = None
    content_type: str | None = None
    type: str | None = None
    meta_data: dict[str, str] | None = None


class ShortcutCommand(msgspec.Struct, frozen=True):
    """A command configured in the bot."""

    command_id: str
    parameters: dict[str, str] | None = None


class ChatBody(msgspec.Struct, frozen=True):
    """The body of POST /v3/chat."""

    bot_id: str
    user_id: str
    stream: bool | None = None
    additional_messages: list[EnterMessage] | None = None
    auto_save_history: bool | None = None
    meta_data: dict[str, str] | None = None
    custom_variables: dict[str, str] | None = None
    extra_params: dict[str, str] | None = None
    shortcut_command: ShortcutCommand | None = None
    # The values are the bot author's own: anything JSON has.
    parameters: dict[str, Any] | None = None
    enable_card: bool | None = None
    publish_status: Literal["published_online", "unpublished_draft"] | None = None
    bot_version: str | None = None
    connector_id: str | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a chat was asked; `parts` are those of all its messages."""

    bot_id: str
    user_id: str
    is_saved: bool
    meta_data: Mapping[str, str]
    messages: tuple[EnterMessage, ...]
    parts: tuple[Part, ...]

    @property
    def text(self) -> str:
        """The words of the last message."""
        if not self.messages:
            return ""
        last = self.messages[-1]
        if last.content_type != "object_string":
            return last.content or ""
        return "".join(part.text or "" for part in parts_of(last))


def type_of(message: EnterMessage) -> str:
    """What a message is when its sender does not say: a user's question, else an answer."""
    return message.type or ("question" if message.role == "user" else "answer")


def convert(value: object, kind: type[T]) -> T:
    """Make a `kind` of decoded JSON; BackendRejected 4000 names what is missing or mistyped."""
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise BackendRejected(4000, f"Request parameter error: {error}") from error


def read(body: ChatBody) -> Asked:
    """Check everything that can be checked without knowing the account; BackendRejected if not."""
    check_plain_fields(body)
    messages = tuple(body.additional_messages or ())
    is_saved = body.auto_save_history is not False
    if not is_saved and not body.stream:
        raise BackendRejected(4007, "stream=false needs auto_save_history=true")
    check_messages(messages, is_saved=is_saved)
    parts = tuple(part for message in messages for part in parts_of(message))
    return Asked(body.bot_id, body.user_id, is_saved, body.meta_data or {}, messages, parts)


def check_messages(messages: Sequence[EnterMessage], *, is_saved: bool) -> None:
    """Check messages one by one, and that each list of files has words beside it."""
    if len(messages) > MESSAGES:
        raise BackendRejected(4004, f"at most {MESSAGES} additional_messages")
    for message in messages:
        check_meta_data(message.meta_data)
        check_message(message, is_saved=is_saved)
    for position, message in enumerate(messages):
        neighbours = (*messages[max(0, position - 1) : position], *messages[position + 1 :][:1])
        parts = parts_of(message)
        has_words = any(part.type == "text" for part in parts)
        if parts and not has_words and all(near.content_type != "text" for near in neighbours):
            raise BackendRejected(4000, "files alone need a text message before or after them")


def check_meta_data(meta_data: Mapping[str, str] | None) -> None:
    """At most 16 pairs, keys of 1 to 64 and values of 1 to 512 characters."""
    pairs = meta_data or {}
    is_short = all(1 <= len(k) <= KEY and 1 <= len(v) <= VALUE for k, v in pairs.items())
    if len(pairs) > PAIRS or not is_short:
        raise BackendRejected(4003, "meta_data exceeds its limits")


def parts_of(message: EnterMessage) -> tuple[Part, ...]:
    """The elements of an object_string, none of a text; BackendRejected 4000 when it is bad."""
    if message.content_type != "object_string":
        return ()
    try:
        value = msgspec.json.decode(message.content or "")
    except msgspec.DecodeError as error:
        raise BackendRejected(4000, "object_string is not JSON") from error
    parts = convert(value, tuple[Part, ...])
    check_parts(parts)
    return parts


def check_plain_fields(body: ChatBody) -> None:
    """Check what is neither a message nor a file."""
    if not body.user_id:
        raise BackendRejected(4000, "user_id is empty")
    if body.bot_version and body.publish_status == "unpublished_draft":
        raise BackendRejected(4000, "a draft has no bot_version")
    if not set(body.extra_params or ()) <= {"latitude", "longitude"}:
        raise BackendRejected(4000, "extra_params knows latitude and longitude only")
    if not all(re.fullmatch(r"[A-Za-z_]+", name) for name in body.custom_variables or ()):
        raise BackendRejected(4000, "custom_variables have names of letters and underscores")
    check_meta_data(body.meta_data)


def check_message(message: EnterMessage, *, is_saved: bool) -> None:
    """Check the words that may stand in a message's fields."""
    allowed = {"question", "answer"}
    if not is_saved:
        allowed |= {"function_call", "tool_output", "tool_response"}
    type_ = type_of(message)
    if message.role not in {"user", "assistant"}:
        raise BackendRejected(4005, "role is user or assistant")
    if type_ not in allowed or (type_ == "question" and message.role != "user"):
        raise BackendRejected(4005, "this type does not go with the role or the history")
    if not message.content:
        raise BackendRejected(4005, "content is empty")
    if message.content_type is None:
        raise BackendRejected(4000, "content_type is required")
    if message.content_type not in {"text", "object_string"}:
        raise BackendRejected(4005, "content_type is text or object_string")


def check_parts(parts: Sequence[Part]) -> None:
    """Check the elements of one object_string, and how they are put together."""
    texts = [part for part in parts if part.type == "text"]
    if not parts or len(texts) > 1 or len(texts) == len(parts):
        raise BackendRejected(4000, "an object_string has files, and one text at most")
    for part in parts:
        if part.type == "text":
            if not part.text:
                raise BackendRejected(4000, "text is empty")
        elif not part.file_id and not part.file_url:
            raise BackendRejected(4000, "file_id or file_url is required")
        elif part.file_url and not re.match(r"https?://[^/]", part.file_url):
            raise BackendRejected(4000, "file_url is not a URL")
