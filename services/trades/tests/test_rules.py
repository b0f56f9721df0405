"""Prices, rates and results as the pages say them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from trades import rules
from trades.rules import Conditions, Rate, Refused

C = Decimal("0.012")


@pytest.mark.parametrize(
    ("contract_type", "sigma", "seconds", "stake", "payout"),
    [
        ("CALL", 1.0, 5, 1000, 1953),
        ("CALL", 1.0, 10, 1000, 1954),
        ("CALL", 1.0, 300, 1000, 1955),
        ("CALL", 1.0, 900, 100, 196),
        ("CALL", 1.0, 538, 900, 1761),
        ("CALL", 1.0, 3600, 1000, 1961),
        ("CALL", 1.0, 21_600, 1000, 1973),
        ("CALL", 0.1, 900, 1000, 1954),
        ("PUT", 0.1, 900, 1000, 1953),
        ("CALL", 1.0, 2, 100, 195),
    ],
)
def test_published_payouts_are_met_to_the_cent(contract_type, sigma, seconds, stake, payout):
    probability = rules.win_probability(contract_type, sigma=sigma, seconds=seconds)
    assert rules.payout_for(stake, probability=probability, commission=C) == payout


def test_rise_and_fall_share_all_probability():
    for seconds in (1, 60, 86_400, rules.LONGEST):
        rise, fall = (rules.win_probability(side, sigma=0.5, seconds=seconds) for side in ("CALL", "PUT"))
        assert rise + fall == pytest.approx(1, abs=Decimal("1e-11"))
        assert rise < fall


def test_markup_is_a_share_of_the_payout_rounded_half_up():
    assert rules.markup_of(5000, Decimal(2)) == 100
    assert rules.markup_of(1954, Decimal(2)) == 39
    assert rules.markup_of(150, Decimal(1)) == 2
    assert rules.markup_of(149, Decimal(1)) == 1
    assert rules.markup_of(1954, Decimal(0)) == 0


def test_either_name_of_a_contract_does_and_the_other_follows():
    assert rules.contract_type(contract_type="CALL", direction=None) == "CALL"
    assert rules.contract_type(contract_type=None, direction="FALL") == "PUT"
    assert rules.contract_type(contract_type="PUT", direction="FALL") == "PUT"


@pytest.mark.parametrize(
    ("names", "field", "code"),
    [(("CALL", "FALL"), "direction", "contradiction"), ((None, None), "contract_type", "required")],
)
def test_a_contract_without_a_clear_name_is_refused(names, field, code):
    with pytest.raises(Refused) as refused:
        rules.contract_type(contract_type=names[0], direction=names[1])
    assert (refused.value.field, refused.value.code) == (field, code)


@pytest.mark.parametrize(
    ("asked", "tick", "seconds"),
    [
        ((None, 5, "t"), 2, 10),
        ((None, 5, "t"), 1, 5),
        ((None, 1, "d"), 2, 86_400),
        ((None, 2, "h"), 2, 7200),
        ((None, 365, "d"), 2, 31_536_000),
        ((15, None, None), 2, 15),
        ((120, 2, "m"), 2, 120),
        ((1, None, None), 1, 1),
        ((2, None, None), 2, 2),
    ],
)
def test_a_duration_in_either_form(asked, tick, seconds):
    assert rules.duration(seconds=asked[0], amount=asked[1], unit=asked[2], tick=tick).seconds == seconds


@pytest.mark.parametrize(
    ("asked", "field", "code"),
    [
        ((None, None, None), "duration_seconds", "required"),
        ((None, 5, None), "duration_unit", "required"),
        ((None, None, "t"), "duration", "required"),
        ((60, 5, None), "duration_unit", "required"),
        ((60, 2, "m"), "duration_seconds", "contradiction"),
        ((1, None, None), "duration_seconds", "too_short"),
        ((None, 1, "s"), "duration", "too_short"),
        ((None, 11, "t"), "duration", "not_offered"),
        ((None, 366, "d"), "duration", "too_long"),
        ((31_536_001, None, None), "duration_seconds", "too_long"),
    ],
)
def test_a_duration_that_is_incomplete_contradicting_or_not_offered_is_refused(asked, field, code):
    with pytest.raises(Refused) as refused:
        rules.duration(seconds=asked[0], amount=asked[1], unit=asked[2], tick=2)
    assert (refused.value.field, refused.value.code) == (field, code)


def test_the_rate_is_the_first_that_is_set_zero_included():
    usual = {"platform": Decimal("0.50"), "maximum": Decimal(3)}
    rule = Rate(percent=Decimal("1.20"), source="rule", rule_id="r", rule_version=4)
    one, two, three = Decimal(1), Decimal(2), Decimal("2.50")
    found = rules.effective_rate(account=Decimal(0), code=one, rule=rule, affiliate=three, **usual)
    assert (found.percent, found.source) == (0, "account")
    found = rules.effective_rate(account=None, code=two, rule=rule, affiliate=three, **usual)
    assert (found.percent, found.source) == (2, "code")
    found = rules.effective_rate(account=None, rule=rule, affiliate=three, **usual)
    assert found == rule
    found = rules.effective_rate(account=None, affiliate=three, **usual)
    assert (found.percent, found.source) == (three, "affiliate")
    found = rules.effective_rate(account=None, affiliate=None, **usual)
    assert (found.percent, found.source) == (Decimal("0.50"), "platform")


def test_no_rate_is_above_the_maximum():
    found = rules.effective_rate(account=Decimal(5), affiliate=None, platform=Decimal(0), maximum=Decimal(3))
    assert found.percent == 3


@pytest.mark.parametrize("wrong", [{"percent_max": Decimal("5.01")}, {"platform_percent": Decimal(4)}])
def test_settings_cannot_raise_the_markup_above_what_is_allowed(wrong):
    with pytest.raises(ValueError, match="percent"):
        Conditions(**wrong)


def test_a_payout_by_hand_makes_the_status():
    assert rules.status_by_hand(payout=1954, agreed=1954) == "WON"
    assert rules.status_by_hand(payout=0, agreed=1954) == "LOST"
    assert rules.status_by_hand(payout=700, agreed=1954) == "CLOSED"
