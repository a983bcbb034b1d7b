"""Decides when the next write of a growing reply may happen."""

from dataclasses import dataclass, replace
from typing import Final

WORTH_A_NOTIFICATION: Final = 40  # characters: platforms notify of a post, never of an edit
PATIENCE: Final = 1.2  # seconds until a first post goes out with less
WORTH_AN_EDIT: Final = 24  # characters; fewer wait for company
COMPANY: Final = 2.0  # times the interval that they wait
SLOW: Final = 2.0  # seconds after which an answer is an early sign of a flood limit
LONGEST: Final = 30.0  # seconds that an interval grows to


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one reply is written: `interval` is what the platform bears for long."""

    interval: float
    slowdown: float = 1.0
    began: float | None = None  # when the first text came
    wrote: float | None = None  # when the last write ended

    def begun(self, now: float) -> "Pace":
        """There is text now."""
        return self if self.began is not None else replace(self, began=now)

    def due(self, length: int) -> float:
        """When `length` new characters may be written; in the past: at once."""
        if self.wrote is None:
            waits = length < WORTH_A_NOTIFICATION
            return (self.began or 0.0) + (PATIENCE if waits else 0.0)
        waits = length < WORTH_AN_EDIT
        return self.wrote + self.interval * self.slowdown * (COMPANY if waits else 1.0)

    def written(self, now: float, took: float) -> "Pace":
        """A write succeeded: speed up again, unless it was slow."""
        factor = 1.5 if took > SLOW else 0.9
        return replace(self, wrote=now, slowdown=self.bounded(factor))

    def troubled(self, now: float) -> "Pace":
        """The platform answered 429, or not at all: slow down."""
        return replace(self, wrote=now, slowdown=self.bounded(2.0))

    def idle(self, now: float) -> "Pace":
        """There was nothing to write after all: after the first post, look again later."""
        return self if self.wrote is None else replace(self, wrote=now)

    def bounded(self, factor: float) -> float:
        """The slowdown times a factor, within what makes sense."""
        most = max(1.0, LONGEST / self.interval) if self.interval else 1.0
        return min(max(self.slowdown * factor, 1.0), most)
