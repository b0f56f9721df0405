"""A trader's own limits: stricter at once, looser a day later, and no way round; an exclusion only ever longer."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.errors import ValidationFailed
from shared.utils.time import to_rfc3339


def test_a_trader_tightens_at_once_and_loosens_a_day_later(desk, counter, clock):
    trader = desk.trader()
    counter.own(trader, open_trades_max=1, stake_per_day="100.00")
    found = counter.own(trader, open_trades_max=2, stake_per_day="50.00")
    assert (found["own"]["open_trades_max"], found["own"]["stake_per_day"]) == (1, "50.00")
    in_a_day = to_rfc3339(clock.now + timedelta(days=1))
    assert found["pending"] == [{"limit": "open_trades_max", "value": "2", "effective_at": in_a_day}]
    desk.open(trader)
    clock.go(86_399)
    assert counter.limits(trader)["effective"]["open_trades_max"] == 1
    clock.go(1)
    found = counter.limits(trader)
    assert (found["effective"]["open_trades_max"], found["pending"]) == (2, [])
    desk.open(trader)
    # What has come true by itself is written down with the next change.
    counter.own(trader, open_trades_max=2, stake_per_day="40.00")
    ((row,),) = desk.rows("SELECT to_jsonb(l) FROM account_limits l")
    assert (row["open_trades_max"], row["stake_per_day"], row["pending"]) == (2, 4000, {})


def test_no_way_round_leads_to_less_than_a_day(desk, counter, clock):
    trader = desk.trader()
    counter.own(trader, stop_loss="10.00")
    counter.own(trader)
    clock.go(80_000)
    counter.own(trader, stop_loss="10.00")
    counter.own(trader)
    clock.go(80_000)
    assert counter.limits(trader)["own"]["stop_loss"] == "10.00"
    counter.own(trader, stop_loss="20.00")
    clock.go(6_400)
    assert counter.limits(trader)["own"]["stop_loss"] == "20.00"


def test_staff_loosen_what_they_set_at_once_and_never_what_the_trader_set(desk, counter):
    trader = desk.trader()
    counter.own(trader, stake_max="5.00")
    counter.staff(trader, stake_max="1.00")
    assert counter.limits(trader)["effective"]["stake_max"] == "1.00"
    counter.staff(trader)
    assert counter.limits(trader)["effective"]["stake_max"] == "5.00"


def test_an_exclusion_is_only_ever_longer(desk, counter, clock):
    trader = desk.trader()
    counter.own(trader, self_exclusion_until="2026-04-01T00:00:00Z", stake_max="5.00")
    for until in ("2026-03-31T23:59:59Z", "2026-03-03T00:00:00Z"):
        with pytest.raises(ValidationFailed) as error:
            counter.own(trader, self_exclusion_until=until)
        assert [(item["field"], item["code"]) for item in error.value.errors] == [("self_exclusion_until", "too_early")]
    assert counter.own(trader, stake_max="5.00")["self_exclusion_until"] == "2026-04-01T00:00:00Z"
    longer = "2026-05-01T00:00:00Z"
    assert counter.own(trader, stake_max="5.00", self_exclusion_until=longer)["self_exclusion_until"] == longer
    clock.go(60 * 86_400)
    assert counter.limits(trader)["self_exclusion_until"] is None
    assert counter.own(trader, self_exclusion_until="2026-06-01T00:00:00Z")["self_exclusion_until"] is not None


wishes = st.lists(
    st.tuples(
        st.fixed_dictionaries(
            {}, optional={"stake_max": st.sampled_from(["1.00", "2.00"]), "open_trades_max": st.integers(0, 2)}
        ),
        st.sampled_from([0, 40_000, 86_400]),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wishes=wishes)
def test_whatever_a_trader_asks_for_ends_as_what_he_asked_for_last(desk, counter, clock, wishes):
    trader = desk.trader()
    for wanted, seconds in wishes:
        clock.go(seconds)
        found = counter.own(trader, **wanted)
        assert counter.limits(trader) == found
    clock.go(86_400)
    found = counter.limits(trader)
    assert {name: value for name, value in found["own"].items() if value is not None} == wishes[-1][0]
    assert found["pending"] == []
