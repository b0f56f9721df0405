"""What limits mean, without a database: strictness, loosening, what is left, what is refused."""

from __future__ import annotations

from dataclasses import asdict, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trades import limits
from trades.limits import COOL_DOWN_SECONDS, LOOSENED_AFTER, NAMES, Limits, Loosening, Order, Usage

NOW = datetime(2026, 3, 2, 10, 20, 30, tzinfo=UTC)
DAY = timedelta(days=1)
ORDER = Order(stake=1000, cost=1020, payout=1954)

values = st.none() | st.integers(0, 5)
sets = st.builds(Limits, **dict.fromkeys(NAMES, values))
usages = st.builds(
    Usage,
    open_trades=st.integers(0, 3),
    at_risk=st.integers(0, 5000),
    staked=st.integers(0, 5000),
    profit=st.integers(-5000, 5000),
    losses_in_row=st.just(0),
)


def refused(allowed, usage, order=ORDER, now=NOW):
    return [breach.limit for breach in limits.breaches(allowed, usage, order, now)]


@pytest.mark.parametrize(
    ("limit", "usage", "left"),
    [
        ({"open_trades_max": 2}, {"open_trades": 1}, 1),
        ({"stake_per_day": 3000}, {"staked": 2000}, 1000),
        ({"loss_per_day": 3020}, {"at_risk": 2000}, 1020),
        ({"loss_per_day": 3020}, {"at_risk": 1500, "profit": -500}, 1020),
        ({"loss_per_day": 1000}, {"profit": 20}, 1020),
        ({"stop_loss": 2001}, {"at_risk": 1000, "profit": -1000}, 1),
        ({"take_profit": 954}, {"profit": 953}, 1),
    ],
)
def test_what_just_fits_is_allowed_and_one_unit_less_is_not(limit, usage, left):
    (name, value) = next(iter(limit.items()))
    assert refused(Limits(**limit), Usage(**usage)) == []
    assert limits.remaining(Limits(**limit), Usage(**usage)) == {name: left}
    tighter = Limits(**{name: value - 1})
    assert refused(tighter, Usage(**usage)) == [name]


@pytest.mark.parametrize(
    ("limit", "order"),
    [({"stake_min": 1001}, ORDER), ({"stake_max": 999}, ORDER), ({"payout_max": 1953}, ORDER)],
)
def test_a_stake_out_of_range_is_the_orders_own_fault(limit, order):
    assert [breach.limit for breach in limits.stake_breaches(Limits(**limit), order)] == list(limit)
    just = {name: value + (-1 if name == "stake_min" else 1) for name, value in limit.items()}
    assert list(limits.stake_breaches(Limits(**just), order)) == []
    assert refused(Limits(**limit), Usage()) == []


def test_losses_in_a_row_pause_for_as_long_as_was_set_and_then_after_each_further_one():
    allowed = Limits(consecutive_losses=3, cool_down_seconds=600)
    two = Usage(losses_in_row=2, last_loss_at=NOW)
    three = replace(two, losses_in_row=3)
    assert refused(allowed, two) == []
    (breach,) = limits.breaches(allowed, three, ORDER, NOW)
    assert (breach.limit, breach.left, breach.until) == ("consecutive_losses", 0, NOW + timedelta(seconds=600))
    assert refused(allowed, three, now=NOW + timedelta(seconds=599.999)) == ["consecutive_losses"]
    assert refused(allowed, three, now=NOW + timedelta(seconds=600)) == []
    named = replace(allowed, cool_down_seconds=None)
    assert limits.paused_until(named, three) == NOW + timedelta(seconds=COOL_DOWN_SECONDS)


@given(sets, sets)
def test_of_two_sets_the_stricter_counts_and_neither_is_looser_than_it(one, other):
    both = limits.stricter(one, other)
    assert both == limits.stricter(other, one) == limits.stricter(both, one)
    for name in NAMES:
        chosen = getattr(both, name)
        assert chosen in (getattr(one, name), getattr(other, name))
        assert not limits.is_looser(name, chosen, getattr(one, name))
        assert not limits.is_looser(name, chosen, getattr(other, name))


@given(sets, usages)
def test_nothing_is_refused_that_a_looser_set_refuses_less(allowed, usage):
    """Each limit refuses on its own: taking all others away changes nothing about it."""
    together = set(refused(allowed, usage))
    alone = {name for name in NAMES for found in refused(Limits(**{name: getattr(allowed, name)}), usage) if found}
    assert together == alone
    for name, left in limits.remaining(allowed, usage).items():
        assert left >= 0
        assert limits.remaining(allowed, limits.after(usage, ORDER))[name] <= left


@given(sets, sets)
def test_a_change_is_stricter_at_once_and_looser_only_after_a_day(present, wanted):
    at_once, later = limits.change(present, {}, wanted, NOW)
    assert at_once == limits.stricter(present, wanted)
    assert limits.matured(at_once, later, NOW + LOOSENED_AFTER - timedelta(microseconds=1)) == (at_once, later)
    assert limits.matured(at_once, later, NOW + LOOSENED_AFTER) == (wanted, {})


steps = st.lists(st.tuples(sets, st.sampled_from([timedelta(0), timedelta(hours=7), DAY])), max_size=8)


@given(sets, steps)
def test_whatever_is_asked_for_when_no_limit_gets_looser_before_a_day_after_it_was_first_asked(first, asked):
    """The model: a limit is at every instant the strictest of all that was wanted within the last day."""
    now, present, pending = NOW, first, {}
    wanted = [(NOW - 2 * DAY, first)]
    for next_wanted, passes in asked:
        now += passes
        present, pending = limits.matured(present, pending, now)
        present, pending = limits.change(present, pending, next_wanted, now)
        wanted.append((now, next_wanted))
    for later in (timedelta(0), timedelta(hours=23), DAY, 2 * DAY):
        at = now + later
        effective, _ = limits.matured(present, pending, at)
        for name in NAMES:
            # What was in force when the last day began, and all that was wanted since.
            before = [values for since, values in wanted if since <= at - DAY][-1:]
            recent = [values for since, values in wanted if since > at - DAY]
            strictest = limits.stricter(Limits(), Limits())
            for values in (*before, *recent):
                strictest = limits.stricter(strictest, Limits(**{name: getattr(values, name)}))
            assert not limits.is_looser(name, getattr(effective, name), getattr(strictest, name)), (name, later)
    assert limits.matured(present, pending, now + 2 * DAY) == (wanted[-1][1], {})


pairs = st.none() | st.tuples(st.integers(1, 4), st.sampled_from([60, 600, 6000]))


@given(st.lists(st.tuples(pairs, st.sampled_from([timedelta(0), timedelta(hours=7), DAY])), max_size=8))
def test_losses_in_a_row_never_lose_their_pause(asked):
    now, present, pending = NOW, Limits(), {}
    for pair, passes in asked:
        now += passes
        losses, seconds = pair or (None, None)
        present, pending = limits.matured(present, pending, now)
        present, pending = limits.change(
            present, pending, Limits(consecutive_losses=losses, cool_down_seconds=seconds), now
        )
        for at in (now, *(change.at for change in pending.values())):
            found, _ = limits.matured(present, pending, at)
            assert (found.consecutive_losses is None) == (found.cool_down_seconds is None)


def test_asking_again_does_not_wait_again_and_asking_for_more_does():
    present = Limits(stake_max=10)
    _, pending = limits.change(present, {}, Limits(stake_max=20), NOW)
    hour = NOW + timedelta(hours=1)
    for wants in (20, 15):
        assert limits.change(present, pending, Limits(stake_max=wants), hour) == (
            present,
            {"stake_max": Loosening(value=wants, at=NOW + LOOSENED_AFTER)},
        )
    for wants in (21, None):
        _, longer = limits.change(present, pending, Limits(stake_max=wants), hour)
        assert longer == {"stake_max": Loosening(value=wants, at=hour + LOOSENED_AFTER)}


def test_what_is_taken_back_before_its_time_never_comes():
    present, pending = limits.change(Limits(stop_loss=10), {}, Limits(), NOW)
    assert (asdict(present)["stop_loss"], set(pending)) == (10, {"stop_loss"})
    assert limits.change(present, pending, Limits(stop_loss=10), NOW) == (Limits(stop_loss=10), {})
