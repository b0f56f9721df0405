"""Which fact gives which notification. `RULES` is the whole answer; what it does not name, nobody is told of.

Facts are the plain values of an event's `data`, amounts as decimal text ("19.54"), with its `subject_version`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

Fact = Mapping[str, Any]
Level = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What somebody is told, once for each `fact` of a `kind`; `user_id` null: all of staff."""

    user_id: str | None
    kind: str
    fact: str
    title: str
    body: str
    level: str
    data: Mapping[str, Any]


class Words(NamedTuple):
    """How it is said, and what is linked beside the rule's own links."""

    title: str
    body: str
    level: Level = "info"
    more: Mapping[str, Any] = {}


class Rule(NamedTuple):
    """Names of a fact's fields, and its words."""

    to: str
    """Who is told."""
    about: tuple[str, ...]
    """What tells this fact from all others of its kind, the same at every delivery."""
    links: tuple[str, ...]
    """What goes into the notification's data."""
    words: Callable[[Fact], Words | None]
    """None for a fact that nobody is told of."""


def notice_of(kind: str, fact: Fact) -> Notice | None:
    """What is told of a fact, and to whom; None when nobody is."""
    rule = RULES.get(kind)
    words = rule.words(fact) if rule is not None else None
    if rule is None or words is None:
        return None
    return Notice(
        user_id=fact[rule.to],
        kind=kind,
        fact=":".join(str(fact[name]) for name in rule.about),
        title=words.title,
        body=words.body,
        level=words.level,
        data={"type": kind, **{name: fact[name] for name in rule.links}, **words.more},
    )


def _contract(trade: Fact) -> str:
    """Symbol, contract type and barrier; earlier events say nothing of ties and barriers."""
    barrier = trade.get("barrier")
    contract_type = f"{trade['contract_type']}E" if trade.get("wins_ties") else trade["contract_type"]
    return f"{trade['symbol']} {contract_type}" + (f" {barrier}" if barrier else "")


def _trade_settled(trade: Fact) -> Words:
    profit = Decimal(trade["payout"]) - Decimal(trade["stake"]) - Decimal(trade["markup"])
    currency = trade["currency"]
    return Words(
        f"Trade {trade['status'].lower()}",
        f"{_contract(trade)}: stake {trade['stake']} {currency},"
        f" payout {trade['payout']} {currency}, profit {profit:+f} {currency}.",
        more={"profit": f"{profit:f}"},
    )


def _trade_cancelled(trade: Fact) -> Words:
    currency, nothing = trade["currency"], Decimal(trade["stake"]) * 0
    return Words(
        "Trade cancelled",
        f"{_contract(trade)}: stake {trade['stake']} {currency} and markup"
        f" {trade['markup']} {currency} are returned in full. Reason: {trade['reason']}",
        "warning",
        # Whatever its result was, it has none any more.
        more={"payout": f"{nothing:f}", "profit": f"{nothing:f}"},
    )


def _deposit_completed(deposit: Fact) -> Words:
    return Words("Deposit completed", f"{deposit['amount']} {deposit['currency']} is on your account.")


def _deposit_failed(deposit: Fact) -> Words:
    return Words(
        "Deposit refused",
        f"Your deposit of {deposit['amount']} {deposit['currency']} was refused. Reason: {deposit['reason']}",
        "warning",
    )


def _commission_accrued(award: Fact) -> Words:
    return Words(
        "Commission earned",
        f"{award['amount']} {award['currency']} from the markup of a trade, at {award['percent']} %.",
    )


def _referral_commission_accrued(award: Fact) -> Words:
    return Words(
        "Referral commission earned",
        f"{award['amount']} {award['currency']} from the first deposit of somebody you referred,"
        f" at {award['percent']} %.",
    )


def _commission_reversed(award: Fact) -> Words:
    return Words(
        "Commission taken back",
        f"{award['amount']} {award['currency']} was taken back, because its trade was cancelled.",
        "warning",
    )


def _commission_rule_changed(rule: Fact) -> Words:
    return Words(
        "Commission rates changed",
        f"From {rule['valid_from']} on: {rule['referral_percent']} % of first deposits,"
        f" {rule['markup_percent']} % markup on trades.",
    )


def _referral_registered(referral: Fact) -> Words:
    return Words("New referral", f"Somebody has registered with your code {referral['code']}.")


def _user_updated(user: Fact) -> Words | None:
    changed = [name for name in ("is_frozen", "markup_percentage") if name in user["changed"]]
    if not changed:
        return None
    frozen, markup = user["is_frozen"], user["markup_percentage"]
    said = {
        "is_frozen": "You cannot log in, trade or withdraw until it is unfrozen; open trades settle as agreed."
        if frozen
        else "You can log in, trade and withdraw again.",
        "markup_percentage": "No markup is set for you any more." if markup is None else f"Your markup is {markup} %.",
    }
    title = f"Account {'frozen' if frozen else 'unfrozen'}" if "is_frozen" in changed else "Markup changed"
    return Words(
        title,
        " ".join(said[name] for name in changed),
        "warning" if frozen and "is_frozen" in changed else "info",
        more={name: user[name] for name in changed},
    )


def _user_logged_in(session: Fact) -> Words | None:
    if not session["new_device"]:
        return None
    return Words(
        "Login from a new device",
        "Somebody has logged in to your account from a device that was not used before."
        " If it was not you, change your password.",
        "warning",
    )


def _user_login_failed(failure: Fact) -> Words | None:
    if failure["user_id"] is None or failure["locked_until"] is None:
        return None
    return Words(
        "Login locked",
        f"After too many wrong passwords nobody can log in to your account until {failure['locked_until']}.",
        "warning",
    )


_TRADE: Final = ("trade_id", "account_id", "status", "payout", "currency")
_DEPOSIT: Final = ("transaction_id", "account_id", "amount", "currency")
_AWARD: Final = ("award_id", "amount", "currency")

RULES: Final[Mapping[str, Rule]] = {
    "trade_settled": Rule("user_id", ("trade_id",), _TRADE, _trade_settled),
    "trade_cancelled": Rule("user_id", ("trade_id",), _TRADE, _trade_cancelled),
    "deposit_completed": Rule("user_id", ("transaction_id",), _DEPOSIT, _deposit_completed),
    "deposit_failed": Rule("user_id", ("transaction_id",), _DEPOSIT, _deposit_failed),
    "commission_accrued": Rule("owner_id", ("award_id",), ("trade_id", *_AWARD), _commission_accrued),
    "referral_commission_accrued": Rule(
        "owner_id", ("award_id",), ("deposit_id", *_AWARD), _referral_commission_accrued
    ),
    "commission_reversed": Rule("owner_id", ("award_id",), ("trade_id", *_AWARD), _commission_reversed),
    "commission_rule_changed": Rule(
        "owner_id",
        ("rule_id", "rule_version"),
        ("rule_id", "rule_version", "referral_percent", "markup_percent"),
        _commission_rule_changed,
    ),
    "referral_registered": Rule("owner_id", ("referral_id",), ("referral_id", "code_id"), _referral_registered),
    "user_updated": Rule("user_id", ("user_id", "subject_version"), ("user_id",), _user_updated),
    "user_logged_in": Rule("user_id", ("session_id",), ("session_id",), _user_logged_in),
    # Failures have no id of their own; the end of the lock is this lock's alone.
    "user_login_failed": Rule("user_id", ("user_id", "locked_until"), ("locked_until",), _user_login_failed),
}
