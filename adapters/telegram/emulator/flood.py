"""The service's flood limits: who has to wait, and for how long."""

from collections import deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class FloodRules:
    """How much the service bears; https://core.telegram.org/bots/faq#broadcasting-to-users.

    Sends and edits share a limit. Drafts and chat actions share another:
    https://core.telegram.org/api/bots/ai.
    """

    private_burst: int = 3
    private_interval: float = 1.0  # seconds for each call past the burst
    group: tuple[int, float] = (20, 60.0)  # so many calls in so many seconds
    bot: tuple[int, float] = (30, 1.0)
    actions: tuple[tuple[int, float], ...] = ((20, 5.0), (40, 30.0))
    penalty: float = 1.0  # seconds that a retry inside the wait adds to it


class FloodLedger:
    """What was written when; it is told the time."""

    def __init__(self, rules: FloodRules | None) -> None:
        self._rules = rules
        self._limits: dict[Hashable, Bucket | Window] = {}
        self._held: dict[Hashable, float] = {}
        self._warned: set[Hashable] = set()

    def write(self, chat: int, now: float, *, is_private: bool, count: int = 1) -> int:
        """Count a send or an edit and return 0, or return the seconds to wait."""
        return self._pass(chat, list(self._for_writes(chat, is_private=is_private)), now, count)

    def act(self, chat: int, now: float) -> int:
        """Count a chat action or a draft and return 0, or return the seconds to wait."""
        return self._pass((chat, "actions"), list(self._for_actions(chat)), now, 1)

    def hold(self, chat: int, until: float) -> None:
        """Refuse all writing in a chat until then."""
        self._held[chat] = until
        self._warned.discard(chat)

    def _for_writes(self, chat: int, *, is_private: bool) -> "Iterator[Bucket | Window]":
        rules = self._rules
        if rules is None:
            return
        yield self._limits.setdefault("bot", Window(*rules.bot))
        if is_private:
            bucket = Bucket(rules.private_burst, rules.private_interval)
            yield self._limits.setdefault(chat, bucket)
        else:
            yield self._limits.setdefault(chat, Window(*rules.group))

    def _for_actions(self, chat: int) -> "Iterator[Bucket | Window]":
        for count, period in self._rules.actions if self._rules else ():
            yield self._limits.setdefault((chat, period), Window(count, period))

    def _pass(self, key: Hashable, limits: "list[Bucket | Window]", now: float, count: int) -> int:
        held = self._held.get(key, now)
        if held > now:
            # Who was told to wait and did not waits longer.
            penalty = self._rules.penalty if self._rules and key in self._warned else 0.0
            return self._wait(key, held + penalty - now, now)
        wait = max((limit.wait(now) for limit in limits), default=0.0)
        if wait > 0:
            return self._wait(key, wait, now)
        for limit in limits:
            limit.take(now, count)
        return 0

    def _wait(self, key: Hashable, wait: float, now: float) -> int:
        seconds = ceil(round(wait, 6))
        self._held[key] = now + seconds
        self._warned.add(key)
        return seconds


class Bucket:
    """A burst, then one call each interval."""

    def __init__(self, burst: int, interval: float) -> None:
        self._slack = (burst - 1) * interval
        self._interval = interval
        self._due = 0.0  # when a call at the steady pace would come next

    def wait(self, now: float) -> float:
        """Seconds until one more call is borne."""
        return round(self._due - self._slack - now, 6)

    def take(self, now: float, count: int) -> None:
        """Count calls; those of one album come together."""
        self._due = max(self._due, now) + count * self._interval


class Window:
    """So many calls in any period of so many seconds."""

    def __init__(self, count: int, period: float) -> None:
        self._times: deque[float] = deque(maxlen=count)
        self._count = count
        self._period = period

    def wait(self, now: float) -> float:
        """Seconds until one more call is borne."""
        if len(self._times) < self._count:
            return 0.0
        return round(self._times[0] + self._period - now, 6)

    def take(self, now: float, count: int) -> None:
        """Count calls; those of one album come together."""
        self._times.extend([now] * count)
