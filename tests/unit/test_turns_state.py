"""The fold over a chat's events, and what is finally said."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.model import (
    ActionRequired,
    AnswerCompleted,
    AnswersFinished,
    ChatCancelled,
    ChatCompleted,
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
from bridge.turns.closing import closing
from bridge.turns.state import TurnState, fold
from bridge.turns.words import ENGLISH

A, B = CozeMessageId("1"), CozeMessageId("2")


def folded(*events):
    state = TurnState()
    for event in events:
        state = fold(state, event)
    return state


def test_completed_overrules_deltas():
    """The completed text replaces what the deltas said, shorter or not."""
    state = folded(Delta(A, "50$\\%$"), Delta(A, "!"), AnswerCompleted(A, "50%"))

    assert ("50%",) == state.texts


def test_late_delta_changes_nothing():
    """A delta after the completion of its answer is ignored."""
    state = folded(AnswerCompleted(A, "whole"), Delta(A, "more"))

    assert ("whole",) == state.texts


def test_several_answers_are_several_replies():
    """Each message of the agent is an answer of its own, in the order of its first piece."""
    state = folded(Delta(A, "a"), Delta(B, "b"), Delta(A, "a"), AnswerCompleted(B, "bb"))

    assert ("aa", "bb") == state.texts


def test_inner_workings_never_show():
    """Reasoning, tools and suggestions leave the answers alone."""
    state = folded(Reasoning(A, "hm"), ToolCalled("search"), FollowUp("And?"), AnswersFinished())

    assert () == state.texts


def test_started_is_remembered():
    """The chat's name is known from its first event on."""
    ref = ChatRef(ConversationId("7"), CozeChatId("8"))

    assert ref == folded(ChatStarted(ref)).ref


@given(st.lists(st.text(max_size=5)))
def test_deltas_add_up(pieces):
    """An answer is the concatenation of its deltas."""
    state = folded(*(Delta(A, piece) for piece in pieces))

    assert "".join(pieces) == "".join(answer.text for answer in state.answers)


def test_closing_says_what_was_missing():
    """One sentence follows where a chat failed, was cancelled, wants a tool or said nothing."""
    said = Delta(A, "Half")
    cases = [
        ((said, ChatCompleted()), ("Half",)),
        ((ChatCompleted(),), (ENGLISH.empty,)),
        ((said, ChatFailed(4028, "")), (f"Half\n\n{ENGLISH.used_up}",)),
        ((ChatFailed(4028, ""),), (ENGLISH.used_up,)),
        ((said, ChatCancelled()), (f"Half\n\n{ENGLISH.stopped}",)),
        ((ActionRequired(("rain",)),), (ENGLISH.action,)),
        ((said, ActionRequired()), ("Half",)),
    ]

    assert [expected for _, expected in cases] == [
        closing(folded(*events), ENGLISH) for events, _ in cases
    ]


def test_sentence_stands_outside_open_code():
    """A code block that broke off is closed before the sentence."""
    texts = closing(folded(Delta(A, "```py\nx = 1"), ChatFailed(5000, "")), ENGLISH)

    assert (f"```py\nx = 1\n```\n\n{ENGLISH.unavailable}",) == texts
