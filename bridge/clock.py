"""The one place that reads the clock."""

import time
from typing import Protocol


class Clock(Protocol):
    """Tells the time, in seconds."""

    def now(self) -> float:
        """Seconds since 1970, for what leaves the process."""

    def monotonic(self) -> float:
        """Seconds that never go back, for measuring."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time()  # noqa: TID251 - this is the home of the clock

    def monotonic(self) -> float:
        """Seconds since some moment before the process."""
        return time.monotonic()
