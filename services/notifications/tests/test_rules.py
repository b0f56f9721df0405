"""The words of facts that come in several forms."""

from __future__ import annotations

import pytest

from notifications.rules import RULES, notice_of

TRADE = {
    "trade_id": "t",
    "user_id": "u",
    "account_id": "a",
    "symbol": "R_100",
    "contract_type": "PUT",
    "currency": "BTC",
    "stake": "0.00000003",
    "markup": "0.00000001",
    "status": "WON",
}
USER = {"user_id": "u", "is_frozen": False, "markup_percentage": None, "subject_version": 4}


@pytest.mark.parametrize(
    ("payout", "profit", "said"),
    [
        ("0.00000004", "0.00000000", "+0.00000000 BTC"),
        ("0.00000000", "-0.00000004", "-0.00000004 BTC"),
        ("999999999999999.00000000", "999999999999998.99999996", "+999999999999998.99999996 BTC"),
    ],
)
def test_profit_is_exact_and_has_all_decimals_of_its_currency(payout, profit, said):
    notice = notice_of("trade_settled", {**TRADE, "payout": payout})
    assert notice.data["profit"] == profit
    assert notice.body.endswith(f"profit {said}.")


@pytest.mark.parametrize(
    ("contract", "said"),
    [
        ({}, "R_100 PUT: "),
        ({"barrier": None, "wins_ties": False}, "R_100 PUT: "),
        ({"barrier": "+0.37", "wins_ties": False}, "R_100 PUT +0.37: "),
        ({"barrier": None, "wins_ties": True}, "R_100 PUTE: "),
    ],
)
def test_a_trade_is_named_by_what_was_bought(contract, said):
    fact = {**TRADE, **contract, "payout": "0.00000004", "reason": "x"}
    for kind in ("trade_settled", "trade_cancelled"):
        assert notice_of(kind, fact).body.startswith(said)


def test_a_cancelled_trade_has_no_result_in_the_decimals_of_its_currency():
    notice = notice_of("trade_cancelled", {**TRADE, "payout": "0.00000004", "status": "CANCELLED", "reason": "x"})
    assert (notice.data["payout"], notice.data["profit"]) == ("0.00000000", "0.00000000")


@pytest.mark.parametrize(
    ("state", "changed", "title", "level", "data"),
    [
        ({"is_frozen": True}, ["is_frozen"], "Account frozen", "warning", {"is_frozen": True}),
        ({"is_frozen": False}, ["is_frozen"], "Account unfrozen", "info", {"is_frozen": False}),
        ({"is_frozen": True}, ["markup_percentage"], "Markup changed", "info", {"markup_percentage": None}),
        (
            {"is_frozen": True, "markup_percentage": "1.00"},
            ["email", "is_frozen", "markup_percentage"],
            "Account frozen",
            "warning",
            {"is_frozen": True, "markup_percentage": "1.00"},
        ),
    ],
)
def test_a_changed_user_is_told_of_freeze_and_markup(state, changed, title, level, data):
    notice = notice_of("user_updated", {**USER, **state, "changed": changed})
    assert (notice.user_id, notice.fact, notice.title, notice.level) == ("u", "u:4", title, level)
    assert notice.data == {"type": "user_updated", "user_id": "u", **data}


def test_a_change_of_both_says_both():
    user = {**USER, "is_frozen": True, "markup_percentage": "1.00", "changed": ["is_frozen", "markup_percentage"]}
    body = notice_of("user_updated", user).body
    assert "cannot log in" in body
    assert body.endswith("Your markup is 1.00 %.")


def test_a_markup_that_is_taken_away_is_no_percentage():
    assert notice_of("user_updated", {**USER, "changed": ["markup_percentage"]}).body == (
        "No markup is set for you any more."
    )


def test_what_no_rule_names_is_told_to_nobody():
    assert notice_of("user_registered", USER) is None
    assert notice_of("trade_opened", TRADE) is None


def test_a_referral_says_nothing_of_who_has_come():
    rule = RULES["referral_registered"]
    fact = {"referral_id": "r", "code_id": "c", "code": "BOB", "owner_id": "o", "referred_user_id": "somebody"}
    assert "somebody" not in str(notice_of("referral_registered", fact))
    assert rule.to == "owner_id"
