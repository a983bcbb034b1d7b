"""What a person finally reads: the answers, and one sentence where something was missing."""

from typing import assert_never

from bridge.model import ActionRequired, ChatCancelled, ChatCompleted, ChatFailed
from bridge.reply.heal import heal
from bridge.turns.state import TurnState
from bridge.turns.words import Words, on_code


def closing(state: TurnState, words: Words) -> tuple[str, ...]:
    """The final texts of a chat that ended by itself."""
    sentence = sentence_for(state, words)
    return state.texts if sentence is None else with_sentence(state.texts, sentence)


def sentence_for(state: TurnState, words: Words) -> str | None:
    """What has to be said about the end, if anything."""
    match state.ending:
        case ChatFailed(code):
            return on_code(words, code)
        case ChatCancelled():
            return words.stopped
        case ActionRequired(tools) if tools:
            return words.action
        case ChatCompleted() | ActionRequired() | None:
            return None if state.texts else words.empty
        case _:
            assert_never(state.ending)


def with_sentence(texts: tuple[str, ...], sentence: str) -> tuple[str, ...]:
    """Put a sentence under what is there already, out of any code block left open."""
    if not texts:
        return (sentence,)
    return (*texts[:-1], f"{heal(texts[-1]).rstrip()}\n\n{sentence}")
