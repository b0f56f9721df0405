"""Who has earned what, and what a rule may give."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commission import rules
from commission.rules import Conditions, Verdict
from commission.service import conditions_of
from shared.settings.env import EnvConfig, SettingError


def on_trade(**changes):
    terms = {"account_type": "REAL", "user_id": "trader", "affiliate_id": "affiliate", "markup": 39, **changes}
    return rules.verdict_on_trade(**terms)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict(39)),
        ({"markup": 1}, Verdict(1)),
        ({"account_type": "DEMO"}, Verdict(0, "demo")),
        ({"affiliate_id": None}, Verdict(0, "no_affiliate")),
        ({"markup": 0}, Verdict(0, "no_markup")),
        ({"account_type": "DEMO", "affiliate_id": None, "markup": 0}, Verdict(0, "demo")),
        ({"affiliate_id": None, "markup": 0}, Verdict(0, "no_affiliate")),
    ],
)
def test_a_real_trades_whole_markup_is_its_affiliates(changes, verdict):
    assert on_trade(**changes) == verdict


@pytest.mark.parametrize(
    "changes", [{"markup": -1}, {"affiliate_id": "trader"}, {"markup": -1, "account_type": "DEMO"}]
)
def test_a_trade_that_makes_no_sense_is_refused(changes):
    with pytest.raises(ValueError, match=r"markup of a trade|earns from himself"):
        on_trade(**changes)


@pytest.mark.parametrize(
    ("referrer_id", "share", "verdict"),
    [
        ("referrer", 2500, Verdict(2500)),
        ("referrer", 0, Verdict(0, "zero")),
        ("referrer", None, Verdict(0, "no_rule")),
        (None, None, Verdict(0, "no_referrer")),
    ],
)
def test_a_first_deposits_share_is_its_referrers(referrer_id, share, verdict):
    assert rules.verdict_on_deposit(user_id="payer", referrer_id=referrer_id, share=share) == verdict


def test_nobody_refers_himself():
    with pytest.raises(ValueError, match="earns from himself"):
        rules.verdict_on_deposit(user_id="payer", referrer_id="payer", share=1)


@given(st.sampled_from(["DEMO", "REAL"]), st.sampled_from([None, "affiliate"]), st.integers(0, 10**15))
def test_a_verdict_is_an_amount_or_a_reason_and_never_more_than_the_markup(account_type, affiliate_id, markup):
    verdict = on_trade(account_type=account_type, affiliate_id=affiliate_id, markup=markup)
    assert (verdict.due > 0) == (verdict.reason is None)
    assert 0 <= verdict.due <= markup


def test_what_is_above_its_maximum_is_named_with_it():
    def above(referral, markup, conditions=None):
        return rules.excesses(
            referral_percent=Decimal(referral),
            markup_percent=Decimal(markup),
            conditions=conditions or Conditions(),
        )

    assert above("100", "3") == {}
    assert above("100.01", "3.01") == {"referral_percent": Decimal(100), "markup_percent": Decimal(3)}
    assert above("0", "2", Conditions(markup_max=Decimal("1.5"))) == {"markup_percent": Decimal("1.5")}


def test_the_maximum_is_a_setting_that_never_goes_above_five():
    assert conditions_of(EnvConfig({}, dotenv=None)).markup_max == Decimal(3)
    assert conditions_of(EnvConfig({"MARKUP_MAX": "5"}, dotenv=None)).markup_max == Decimal(5)
    for wrong in ("5.01", "-1"):
        with pytest.raises(ValueError, match="maximum"):
            conditions_of(EnvConfig({"MARKUP_MAX": wrong}, dotenv=None))
    with pytest.raises(SettingError):
        conditions_of(EnvConfig({"MARKUP_MAX": "a lot"}, dotenv=None))
