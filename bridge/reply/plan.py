"""Decides the next thing to do to a chat, so that it shows what it should."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from bridge.model import MessageId, TurnId


@dataclass(frozen=True, slots=True)
class Sent:
    """One message of ours: what it shows, as far as we know.

    `text` is None where an earlier holder of the turn wrote it, and empty where a call failed in
    such a way that it may or may not have been carried out. `message` is None where a person
    deleted it while the answer was still growing.
    """

    message: MessageId | None
    text: str | None


@dataclass(frozen=True, slots=True)
class Post:
    """Send a new message."""

    answer: int
    chunk: int
    text: str


@dataclass(frozen=True, slots=True)
class Edit:
    """Change a message."""

    answer: int
    chunk: int
    message: MessageId
    text: str


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove a message that is one too many."""

    answer: int
    chunk: int
    message: MessageId


Operation = Post | Edit | Delete


def plan_preview(
    sent: Sequence[Sequence[Sent]], wanted: Sequence[Sequence[str]]
) -> Post | Edit | None:
    """Return the next thing to do while the answer grows, or None.

    What an earlier holder wrote is believed, but for the last message; nothing is deleted yet.
    """
    return next(changes(sent, wanted, is_final=False), None)


def plan_final(sent: Sequence[Sequence[Sent]], wanted: Sequence[Sequence[str]]) -> Operation | None:
    """Return the next thing to do so that every message ends exactly right, or None."""
    return next(chain(changes(sent, wanted, is_final=True), surplus(sent, wanted)), None)


def changes(
    sent: Sequence[Sequence[Sent]], wanted: Sequence[Sequence[str]], *, is_final: bool
) -> Iterator[Post | Edit]:
    """Yield what is missing and what differs, in the order in which it is read."""
    for answer, chunks in enumerate(wanted):
        messages = sent[answer] if answer < len(sent) else ()
        for chunk, text in enumerate(chunks):
            if chunk >= len(messages):
                yield Post(answer, chunk, text)
                break
            is_live = answer == len(wanted) - 1 and chunk == len(chunks) - 1
            known = messages[chunk]
            is_believed = known.text is None and not is_final and not is_live
            if known.message is not None and known.text != text and not is_believed:
                yield Edit(answer, chunk, known.message, text)


def surplus(sent: Sequence[Sequence[Sent]], wanted: Sequence[Sequence[str]]) -> Iterator[Delete]:
    """Yield the messages that are too many, last ones first."""
    for answer in reversed(range(len(sent))):
        first = len(wanted[answer]) if answer < len(wanted) else 0
        for chunk in reversed(range(first, len(sent[answer]))):
            message = sent[answer][chunk].message
            if message is not None:
                yield Delete(answer, chunk, message)


def nonce(turn: TurnId, answer: int, chunk: int, lost: int) -> str:
    """Name a post so that whoever repeats it names it the same: 25 characters of [0-9a-f].

    `lost` counts the messages that had to be posted anew, lest a platform takes such a post for
    the deleted one. Discord allows 25: https://discord.com/developers/docs/resources/message
    """
    return hashlib.sha256(f"{turn}/{answer}/{chunk}/{lost}".encode()).hexdigest()[:25]
