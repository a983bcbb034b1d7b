"""Turns the events of one chat's stream into what happened."""

from collections.abc import Iterable
from dataclasses import replace

from bridge.coze.answers import readable
from bridge.coze.decode import (
    ChatMessage,
    Ending,
    Failure,
    Fields,
    Status,
    as_fields,
    as_number,
    as_text,
    chat_of,
    ending_of,
    failure_of,
    message_of,
    parse,
)
from bridge.coze.sse import Event
from bridge.model import (
    AnswerCompleted,
    AnswersFinished,
    ChatCompleted,
    ChatEvent,
    ChatFailed,
    ChatRef,
    ChatStarted,
    ConversationId,
    CozeChatId,
    CozeMessageId,
    Delta,
    FollowUp,
    Reasoning,
    ToolCalled,
)

DONE = ("done", "conversation.stream.done")
ENDINGS: dict[str, Status] = {
    "conversation.chat.completed": "completed",
    "conversation.chat.requires_action": "waiting",
    "conversation.chat.canceled": "cancelled",
    "conversation.chat.cancelled": "cancelled",
}
FAILURES = ("error", "conversation.error", "conversation.chat.failed")


class ChatReader:
    """Reads one chat: takes its events in order, remembers what must be told only once."""

    def __init__(self, conversation: ConversationId | None = None) -> None:
        self._conversation = conversation  # in which was asked, in case no event names it
        self._completed: set[CozeMessageId] = set()
        self._has_answer = False
        self._has_finished = False
        self._has_started = False
        self.has_ended = False
        self.is_done = False  # nothing at all comes any more

    def take(self, event: Event) -> list[ChatEvent]:
        """What one event tells; nothing more once the chat has ended."""
        self.is_done = self.is_done or event.name in DONE
        if self.has_ended:
            return []
        fields = as_fields(parse(event.data))
        return [*self._start(event.name, fields), *self._read(event.name, fields)]

    def completed(self, message: ChatMessage) -> list[ChatEvent]:
        """What one whole message tells; its text only if it is an answer."""
        if message.id and message.id in self._completed:
            return []
        self._completed.add(message.id)
        match message.kind:
            case "answer":
                return self._answer(message)
            case "function_call":
                name = as_text(as_fields(parse(message.content)).get("name"))
                return [ToolCalled(name)] if name else []
            case "follow_up":
                return [FollowUp(message.content)] if message.content.strip() else []
            case "verbose":
                return self._finish(as_fields(parse(message.content)))
            case _:
                return []

    def _start(self, name: str, fields: Fields) -> list[ChatEvent]:
        """Find the chat's ids, which every event of a chat carries, at the first opportunity."""
        if self._has_started or not name.startswith("conversation."):
            return []
        chat = fields.get("id" if name.startswith("conversation.chat.") else "chat_id")
        conversation = as_text(fields.get("conversation_id")) or self._conversation
        if not chat or not conversation:
            return []
        self._has_started = True
        return [ChatStarted(ChatRef(ConversationId(conversation), CozeChatId(as_text(chat))))]

    def _read(self, name: str, fields: Fields) -> list[ChatEvent]:
        if name == "conversation.message.delta":
            return self._delta(message_of(fields))
        if name == "conversation.message.completed":
            return self.completed(message_of(fields))
        if name in DONE:
            # coze-studio may leave out chat.completed; without an answer only Coze knows.
            return self._end(ChatCompleted()) if self._has_answer else []
        if name in FAILURES or (not name and failure_of(fields)):
            return self._fail(chat_of(fields).failure)
        if name in ENDINGS and fields:
            return self._end(ending_of(replace(chat_of(fields), status=ENDINGS[name])))
        return []

    def _delta(self, message: ChatMessage) -> list[ChatEvent]:
        if message.kind != "answer" or message.id in self._completed:
            return []
        told: list[ChatEvent] = []
        if message.reasoning:
            told.append(Reasoning(message.id, message.reasoning))
        if message.content and message.content_type in ("text", ""):
            told.append(Delta(message.id, message.content))
        return told

    def _answer(self, message: ChatMessage) -> list[ChatEvent]:
        # An answer completed without a word says nothing against what its deltas said.
        text = readable(message)
        self._has_answer = self._has_answer or bool(text)
        return [AnswerCompleted(message.id, text)] if text else []

    def _finish(self, verbose: Fields) -> list[ChatEvent]:
        """Tell once that all answers are there; finish_reason 1 only means an interruption."""
        if verbose.get("msg_type") != "generate_answer_finish" or self._has_finished:
            return []
        if as_number(as_fields(parse(as_text(verbose.get("data")))).get("finish_reason")):
            return []
        self._has_finished = True
        return [AnswersFinished()]

    def _fail(self, failure: Failure) -> list[ChatEvent]:
        # coze-studio keeps the code to itself until it is asked: the chat is to be recovered.
        if failure.code == 0:
            self.is_done = True
            return []
        return self._end(ChatFailed(failure.code, failure.reason))

    def _end(self, ending: Ending | None) -> list[ChatEvent]:
        self.has_ended = ending is not None
        return [ending] if ending else []


def listed(messages: Iterable[ChatMessage]) -> list[ChatEvent]:
    """What the messages of a chat that is over tell: whole answers and suggestions, in order.

    Coze lists them in no promised order; their times are a hint where all have one.
    """
    known = list(messages)
    if all(message.created_at for message in known):
        known.sort(key=lambda message: message.created_at)
    reader = ChatReader()
    told = [event for message in known for event in reader.completed(message)]
    answers = [event for event in told if isinstance(event, AnswerCompleted)]
    return [*answers, *(event for event in told if isinstance(event, FollowUp))]
