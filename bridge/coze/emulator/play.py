"""What a test or the sandbox tells the emulated agent to do in its next chat."""

from collections.abc import Callable
from dataclasses import dataclass

from bridge.coze.emulator.steps import End, Frame, Piece, Steps


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: streamed as `deltas` (without any: cut from the text), completed as `completed`.

    `deltas=()` streams nothing: the answer comes in one piece, as cards do.
    """

    text: str
    deltas: tuple[str, ...] | None = None
    completed: str | None = None
    content_type: str = "text"


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool the agent uses before it answers."""

    name: str
    arguments: str = "{}"  # JSON
    response: str = ""
    thought: str = ""  # of the model; it leaks into the call


LOG_ID = "{log_id}"  # stands for the response's own in a reply's body


@dataclass(frozen=True, slots=True)
class Reply:
    """A whole response that comes in place of the real one."""

    status: int = 200
    content_type: str = "application/json"
    body: str = ""
    delay: float = 0.0


def unharmed(frame: Frame) -> tuple[Piece, ...]:
    """The wire that works."""
    return (frame.encode(),)


def undisturbed(steps: Steps) -> Steps:
    """The run that goes well."""
    return steps


@dataclass(frozen=True, slots=True)
class Fault:
    """One way in which a chat goes wrong; `bridge.coze.emulator.faults` has all that are known.

    `instead` answers the request in place of the stream; the chat then runs, unseen, only if
    `is_started`. `run` changes what happens at Coze, `wire` what of it reaches the client.
    """

    instead: Reply | End | None = None
    is_started: bool = False
    run: Callable[[Steps], Steps] = undisturbed
    wire: Callable[[Frame], tuple[Piece, ...]] = unharmed


# The first seed, cut as a model would.
WEDNESDAY = Answer(
    "2024 年 10 月 1 日是星期三。",
    ("2", "0", "2", "4", " 年", " ", "10", " 月", " ", "1", " 日", "是", "星期三", "。"),
)


@dataclass(frozen=True, slots=True)
class Play:
    """One run of the agent; `cut` is the length of a delta where an answer brings none.

    `usage` counts input and output tokens; `pace`, the seconds before each delta, overrides the
    emulator's.
    """

    answers: tuple[Answer | str, ...] = (WEDNESDAY,)
    cut: int = 4
    reasoning: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    follow_ups: tuple[str, ...] = ()
    usage: tuple[int, int] = (614, 19)
    pace: float | None = None
    fault: Fault | None = None
