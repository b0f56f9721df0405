"""When a sweep looks next, whatever becomes of the wall clock."""

from __future__ import annotations

from typing import Any

import pytest

from shared.chassis import timers
from shared.chassis.timers import Alarm


class Clocks:
    """The wall clock and the steady one, both set by hand."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_000_000.0, 50.0

    def time(self) -> float:
        return self.wall

    def monotonic(self) -> float:
        return self.steady

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Any:
    made = Clocks()
    monkeypatch.setattr(timers, "time", made)
    return made


def test_it_looks_at_once_and_then_after_every_rest(clocks: Clocks) -> None:
    alarm = Alarm()
    assert alarm.left() <= 0
    alarm.rest(0.5)
    assert alarm.left() == 0.5
    clocks.go(0.5)
    assert alarm.left() <= 0


def test_a_hint_makes_it_earlier_and_never_later(clocks: Clocks) -> None:
    alarm = Alarm()
    alarm.rest(10)
    for after in (3, 2, 7):
        alarm.hint(clocks.wall + after)
    assert alarm.left() == 2
    alarm.rest(1)
    assert alarm.left() == 1


def test_a_wall_clock_that_is_set_back_keeps_no_sweep_waiting(clocks: Clocks) -> None:
    alarm = Alarm()
    alarm.rest(0.2)
    alarm.hint(clocks.wall + 0.1)
    clocks.wall -= 3600
    assert alarm.left() == pytest.approx(0.2)
    clocks.go(0.2)
    assert alarm.left() <= 0


def test_a_wall_clock_that_is_set_forward_makes_what_was_hinted_due(clocks: Clocks) -> None:
    alarm = Alarm()
    alarm.rest(0.2)
    alarm.hint(clocks.wall + 60)
    clocks.wall += 3600
    assert alarm.left() <= 0
