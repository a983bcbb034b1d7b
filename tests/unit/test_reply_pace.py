"""When the next write may happen."""

import pytest

from bridge.reply.pace import Pace


@pytest.mark.parametrize(("length", "due"), [(5, 101.2), (39, 101.2), (40, 100.0), (4000, 100.0)])
def test_the_first_post_is_worth_a_notification(length, due):
    """It goes out at once with enough text, and with less a little later."""
    assert due == pytest.approx(Pace(1.0).begun(100.0).begun(100.7).due(length))


@pytest.mark.parametrize(("length", "due"), [(1, 104.0), (23, 104.0), (24, 102.0), (900, 102.0)])
def test_edits_keep_the_interval(length, due):
    """An edit waits for the interval, and one of a few characters for twice as long."""
    pace = Pace(2.0).begun(90.0).written(100.0, took=0.1)

    assert due == pace.due(length)


def test_trouble_slows_down_and_success_speeds_up():
    """Intervals double with every 429, up to half a minute, and shrink to what they were."""
    pace = Pace(2.0).begun(0.0)
    intervals = []
    for _ in range(6):
        pace = pace.troubled(0.0)
        intervals.append(pace.due(100))
    for _ in range(40):
        pace = pace.written(0.0, took=0.1)

    assert [4.0, 8.0, 16.0, 30.0, 30.0, 30.0] == intervals
    assert 2.0 == pace.due(100)


def test_a_slow_answer_is_an_early_sign():
    """A platform that takes seconds is written less often."""
    pace = Pace(2.0).begun(0.0).written(10.0, took=2.5)

    assert 13.0 == pace.due(100)


def test_a_look_without_a_write_is_not_repeated_at_once():
    """After nothing was to write, the next look comes an interval later; before, at once."""
    first, later = Pace(2.0).begun(5.0), Pace(2.0).begun(5.0).written(6.0, took=0.1)

    assert first == first.idle(7.0)
    assert 9.0 == later.idle(7.0).due(100)


def test_a_platform_without_limits_is_written_at_once():
    """An interval of nothing stays nothing."""
    assert 1.0 == Pace(0.0).begun(0.0).troubled(1.0).due(5)
