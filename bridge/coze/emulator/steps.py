"""What happens in a run, and what of it reaches the client, as values."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What a chat waits for: a local plugin's output, or (no name) the person's next message."""

    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """The chat changes its status; `shown` and `event` replace what is sent."""

    status: str
    code: int = 0
    reason: str = ""
    calls: tuple[ToolCall, ...] = ()
    shown: Mapping[str, object] | None = None
    event: str | None = None


@dataclass(frozen=True, slots=True)
class Delta:
    """A piece of an answer; steps with the same `message` belong to the same message."""

    message: int
    text: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Completed:
    """A message is complete."""

    message: int
    type: str
    content: str
    content_type: str = "text"
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Notice:
    """An event that changes nothing; `data` is sent as it stands."""

    event: str
    data: str


@dataclass(frozen=True, slots=True)
class Done:
    """The stream is over, and so is this part of the run."""


Step = Status | Delta | Completed | Notice | Done
Steps = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """One event of a stream: its place in it, and how many deltas came so far, this one too."""

    event: str
    data: str
    number: int  # from 1
    deltas: int

    def encode(self) -> bytes:
        """The event as the hosted service writes it: no space after the colons."""
        return f"event:{self.event}\ndata:{self.data}\n\n".encode()


@dataclass(frozen=True, slots=True)
class Silence:
    """Nothing is sent for so long."""

    seconds: float


@dataclass(frozen=True, slots=True)
class End:
    """The response ends here: properly, by closing the connection midway, or by a TCP reset."""

    how: Literal["clean", "cut", "reset"] = "clean"


Piece = bytes | Silence | End


def until_delta(steps: Steps, deltas: int) -> Steps:
    """The steps up to the delta after so many."""
    return tuple(_until_delta(steps, deltas))


def _until_delta(steps: Iterable[Step], deltas: int) -> Iterator[Step]:
    for step in steps:
        if isinstance(step, Delta):
            deltas -= 1
            if deltas < 0:
                return
        yield step
