"""Composes what Coze is asked, https://www.coze.com/docs/developer_guides/chat_v3."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from bridge.coze.decode import as_text
from bridge.errors import BackendRejected
from bridge.model import Content, ConversationId, Text, TurnId, Uploaded

TURN = "bridge_turn"  # under which the turn's id travels, in a message and in its chat
DEFAULT_PROMPT = "Please take a look at this."  # Coze refuses a file without any words
MAX_MESSAGES = 100
MAX_PAIRS, MAX_KEY, MAX_VALUE = 16, 64, 512

# Codes of Coze for what can be told before anything is sent.
TOO_MUCH_META_DATA, TOO_MANY_MESSAGES, NO_CONTENT = 4003, 4004, 4005


class EnterMessage(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message of the question."""

    content: str
    content_type: Literal["text", "object_string"]
    role: Literal["user", "assistant"]
    type: Literal["question", "answer"]
    meta_data: Mapping[str, str] = {}

    def __post_init__(self) -> None:
        """Raise BackendRejected where Coze would."""
        check_meta_data(self.meta_data)


class ShortcutCommand(msgspec.Struct, frozen=True, omit_defaults=True):
    """A shortcut of the agent; a parameter is the JSON of an object_string's parts."""

    command_id: str
    parameters: Mapping[str, str] = {}


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """POST /v3/chat; what is empty or None is not sent.

    `stream` is always sent, since hosted and self-hosted servers differ in its default.
    Raises BackendRejected with Coze's own code where Coze would refuse.
    """

    bot_id: str
    user_id: str
    stream: bool
    conversation_id: ConversationId | None = None
    additional_messages: tuple[EnterMessage, ...] = ()
    custom_variables: Mapping[str, str] = {}
    auto_save_history: bool | None = None
    meta_data: Mapping[str, str] = {}
    extra_params: Mapping[str, str] = {}
    shortcut_command: ShortcutCommand | None = None
    parameters: Mapping[str, object] = {}
    publish_status: str = ""
    bot_version: str = ""
    connector_id: str = ""
    enable_card: bool | None = None

    def __post_init__(self) -> None:
        """Raise BackendRejected where Coze would."""
        check_meta_data(self.meta_data)
        if len(self.additional_messages) > MAX_MESSAGES:
            raise BackendRejected(
                TOO_MANY_MESSAGES, f"at most {MAX_MESSAGES} messages can be sent at once"
            )
        if not self.additional_messages and self.shortcut_command is None:
            raise BackendRejected(NO_CONTENT, "there is nothing to ask")


def query_of(request: ChatRequest) -> dict[str, str]:
    """The query string: an unknown conversation is left out, since an empty one is refused."""
    return {"conversation_id": request.conversation_id} if request.conversation_id else {}


def body_of(request: ChatRequest) -> bytes:
    """The JSON body; in it the conversation would be ignored."""
    fields: dict[str, object] = msgspec.to_builtins(request)
    fields.pop("conversation_id", None)
    return msgspec.json.encode(fields)


def question_of(contents: Iterable[Content], turn: TurnId) -> tuple[EnterMessage, ...]:
    """The messages that ask for an answer to `contents`, the words last.

    Rule 1: an object_string has one text part at most, and needs a file beside it.
    Rule 2: files without words need a message of type text before or after them.
    """
    known = tuple(contents)
    words = (part.text for part in known if isinstance(part, Text) and part.text.strip())
    text = as_text("\n\n".join(words))
    files = tuple(file_part(part) for part in known if not isinstance(part, Text))
    if files and text:
        return (asked(object_string((*files, {"type": "text", "text": text})), turn, mixed=True),)
    if files:
        return (asked(object_string(files), turn, mixed=True), asked(DEFAULT_PROMPT, turn))
    return (asked(text, turn),) if text else ()


def file_part(content: Content) -> dict[str, str]:
    """A file as a part of an object_string, without the key that is not known."""
    match content:
        case Uploaded(kind, file_id):
            return {"type": kind, "file_id": file_id}
        case Text(text):
            return {"type": "text", "text": text}
        case _:
            return {"type": content.kind, "file_url": content.url}


def object_string(parts: tuple[dict[str, str], ...]) -> str:
    """Parts as the JSON string that `content` has to be."""
    return msgspec.json.encode(parts).decode()


def asked(content: str, turn: TurnId, *, mixed: bool = False) -> EnterMessage:
    """One message of a person, marked with the turn."""
    kind: Literal["text", "object_string"] = "object_string" if mixed else "text"
    return EnterMessage(content, kind, "user", "question", {TURN: turn})


def check_meta_data(meta_data: Mapping[str, str]) -> None:
    """Raise BackendRejected where Coze would refuse, naming the limit."""
    if problem := meta_data_problem(meta_data):
        raise BackendRejected(TOO_MUCH_META_DATA, problem)


def meta_data_problem(meta_data: Mapping[str, str]) -> str | None:
    """Which of Coze's limits is broken."""
    if len(meta_data) > MAX_PAIRS:
        return f"meta_data has at most {MAX_PAIRS} pairs"
    for key, value in meta_data.items():
        if not 1 <= len(key) <= MAX_KEY:
            return f"a key of meta_data has 1 to {MAX_KEY} characters"
        if not 1 <= len(value) <= MAX_VALUE:
            return f"the value of {key!r} in meta_data has 1 to {MAX_VALUE} characters"
    return None
