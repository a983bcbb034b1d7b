"""What a test wants to go wrong, and when."""

from collections import defaultdict, deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """An answer that is not the one deserved; status 0 cuts the connection without any."""

    status: int
    description: str
    is_after_success: bool  # whether the call is carried out all the same


class Faults:
    """Faults to come, for each method in the order they were planned."""

    def __init__(self) -> None:
        self._faults: defaultdict[str, deque[Fault]] = defaultdict(deque)
        self._delays: defaultdict[str, deque[float]] = defaultdict(deque)

    def plan(self, method: str, fault: Fault, times: int) -> None:
        """Let the next calls of a method fail."""
        self._faults[method.lower()].extend([fault] * times)

    def plan_delay(self, method: str, seconds: float, times: int) -> None:
        """Let the next calls of a method take so much longer."""
        self._delays[method.lower()].extend([seconds] * times)

    def next(self, method: str) -> Fault | None:
        """The fault of this call."""
        planned = self._faults[method.lower()]
        return planned.popleft() if planned else None

    def next_delay(self, method: str) -> float:
        """How much longer this call takes."""
        planned = self._delays[method.lower()]
        return planned.popleft() if planned else 0.0
