"""Failures that a test plans: what goes wrong, where, and how many times."""

import re
from dataclasses import dataclass


@dataclass(slots=True)
class Fault:
    """One planned failure; `left` is how many requests it will still meet."""

    method: str
    route: re.Pattern[str]
    left: int
    status: int = 0  # of the answer; 0 is the right answer, late
    code: int = 0
    delay: float = 0.0
    after_success: bool = False  # the request is carried out, and the answer lost


@dataclass(frozen=True, slots=True)
class Flood:
    """A limit that is used up from outside."""

    until: float
    is_global: bool


class Faults:
    """The failures that are still to come."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._floods: dict[str, Flood] = {}

    def plan(self, fault: Fault) -> None:
        """Plan a failure."""
        self._planned.append(fault)

    def next(self, method: str, path: str) -> Fault | None:
        """Take the first planned failure that a request meets."""
        for fault in self._planned:
            if fault.left and fault.method == method and fault.route.fullmatch(path):
                fault.left -= 1
                return fault
        return None

    def flood(self, channel: str, flood: Flood) -> None:
        """Refuse all writing in a channel for a while; or, if global, everything."""
        self._floods["" if flood.is_global else channel] = flood

    def flooding(self, method: str, path: str, now: float) -> Flood | None:
        """The flood that a request runs into; reading is never meant by that of a channel."""
        steps = path.split("/")
        channel = steps[2] if method != "GET" and steps[1:2] == ["channels"] else ""
        found = (self._floods.get(key) for key in ("", channel))
        return next((flood for flood in found if flood and now < flood.until), None)


def pattern(route: str) -> re.Pattern[str]:
    """Read a route such as "/channels/*/messages" or "/channels/{id}/messages"."""
    steps = re.split(r"\*|\{\w+\}", route)
    return re.compile("[^/]+".join(re.escape(step) for step in steps))
