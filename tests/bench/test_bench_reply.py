"""What one more look at a growing answer costs, and whether that grows with the answer."""

import statistics
import time

import pytest

from adapters.discord import format as discord
from adapters.telegram import format as telegram
from bridge.reply.heal import heal
from bridge.reply.split import Splitter
from bridge.sandbox.plays import long_answer

STEP = 120  # characters between two looks: 30 deltas of 4 a second, one look a second


@pytest.mark.parametrize(
    ("platform", "fits", "max_length", "shown"),
    [
        ("telegram", telegram.fits, telegram.MAX_LENGTH, telegram.render),
        ("discord", discord.fits, discord.MAX_LENGTH, discord.convert),
    ],
)
def test_a_look_at_a_growing_answer(platform, fits, max_length, shown):
    """Median milliseconds of split, heal and format for a look, early and late in 20 KB."""
    answer = (long_answer() * 2)[:20_000]
    splitter = Splitter(fits, max_length)
    costs = []
    for end in range(STEP, len(answer), STEP):
        started = time.perf_counter()
        chunks = splitter.split(answer[:end])
        shown(heal(chunks[-1]))
        costs.append((time.perf_counter() - started) * 1000)
    quarter = len(costs) // 4
    early, late = statistics.median(costs[:quarter]), statistics.median(costs[-quarter:])
    print(
        f"\n{platform}: first 5 KB {early:.2f} ms a look, last 5 KB {late:.2f} ms, "
        f"ratio {late / early:.2f}, slowest {max(costs):.1f} ms"
    )
