"""What a turn has answered so far: a fold over the events of a chat."""

from dataclasses import dataclass, replace
from typing import assert_never

from bridge.model import (
    ActionRequired,
    AnswerCompleted,
    AnswersFinished,
    ChatCancelled,
    ChatCompleted,
    ChatEvent,
    ChatFailed,
    ChatRef,
    ChatStarted,
    CozeMessageId,
    Delta,
    FollowUp,
    Reasoning,
    ToolCalled,
)

Ending = ChatCompleted | ChatFailed | ChatCancelled | ActionRequired


@dataclass(frozen=True, slots=True)
class Answer:
    """One message of the agent."""

    id: CozeMessageId
    text: str
    is_completed: bool = False


@dataclass(frozen=True, slots=True)
class TurnState:
    """All that is known of a chat."""

    ref: ChatRef | None = None
    answers: tuple[Answer, ...] = ()
    ending: Ending | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The answers with anything in them, each to become a reply."""
        return tuple(answer.text for answer in self.answers if answer.text.strip())


def fold(state: TurnState, event: ChatEvent) -> TurnState:
    """The state after one more event; `completed` overrules the deltas."""
    match event:
        case ChatStarted(ref):
            return replace(state, ref=ref)
        case Delta(message, text):
            return grown(state, message, text)
        case AnswerCompleted(message, text):
            return completed(state, message, text)
        case ChatCompleted() | ChatFailed() | ChatCancelled() | ActionRequired():
            return replace(state, ending=event)
        case Reasoning() | ToolCalled() | FollowUp() | AnswersFinished():
            return state
        case _:
            assert_never(event)


def grown(state: TurnState, message: CozeMessageId, text: str) -> TurnState:
    """Append to an answer; a delta after its completion says nothing new."""
    known = find(state, message)
    if known is None:
        return replace(state, answers=(*state.answers, Answer(message, text)))
    if known.is_completed:
        return state
    return exchanged(state, replace(known, text=known.text + text))


def completed(state: TurnState, message: CozeMessageId, text: str) -> TurnState:
    """Take the whole text of an answer."""
    answer = Answer(message, text, is_completed=True)
    if find(state, message) is None:
        return replace(state, answers=(*state.answers, answer))
    return exchanged(state, answer)


def find(state: TurnState, message: CozeMessageId) -> Answer | None:
    """The answer of that id."""
    return next((answer for answer in state.answers if answer.id == message), None)


def exchanged(state: TurnState, new: Answer) -> TurnState:
    """Put an answer in the place of the one with its id."""
    return replace(
        state, answers=tuple(new if answer.id == new.id else answer for answer in state.answers)
    )
