"""What each event means as an audit entry: standard library only, no clock, no database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Meaning:
    """Action, kind of subject, a sentence with fields of the event in it, and the field that says whom it is about.

    Free text of people stays out of the sentence.
    """

    action: str
    subject_type: str
    sentence: str
    about: str = "user_id"
    result: str = "success"


MEANINGS: Final[Mapping[str, Meaning]] = {
    "user_registered": Meaning("USER_REGISTERED", "user", "Registered"),
    "user_updated": Meaning("USER_UPDATED", "user", "User changed: {changed}"),
    "user_logged_in": Meaning("USER_LOGIN", "session", "Logged in"),
    "user_login_failed": Meaning("USER_LOGIN_FAILED", "user", "Login failed: {reason}", result="failure"),
    "session_revoked": Meaning("SESSION_REVOKED", "session", "Session ended: {reason}"),
    "account_opened": Meaning("ACCOUNT_OPENED", "account", "{account_type} account in {currency} opened"),
    "account_updated": Meaning("ACCOUNT_UPDATED", "account", "Account changed: {changed}"),
    "transaction_recorded": Meaning(
        "TRANSACTION_RECORDED", "ledger_transaction", "Ledger transaction recorded: {kind}"
    ),
    "deposit_requested": Meaning("DEPOSIT_REQUESTED", "transaction", "Deposit of {amount} {currency} requested"),
    "deposit_completed": Meaning("DEPOSIT", "transaction", "Deposit of {amount} {currency} completed"),
    "deposit_failed": Meaning(
        "DEPOSIT_FAILED", "transaction", "Deposit of {amount} {currency} refused", result="failure"
    ),
    "trade_opened": Meaning("TRADE_CREATED", "trade", "{contract_type} on {symbol} opened for {stake} {currency}"),
    "trade_settled": Meaning(
        "TRADE_CLOSED", "trade", "{contract_type} on {symbol} {status}, payout {payout} {currency}"
    ),
    "trade_cancelled": Meaning("TRADE_CANCELLED", "trade", "{contract_type} on {symbol} voided"),
    "limits_changed": Meaning("LIMITS_CHANGED", "account", "Limits changed by {set_by}: {changed}"),
    "trading_halted": Meaning("TRADING_HALTED", "halt", "Trading halted", about="halted_by"),
    "trading_resumed": Meaning("TRADING_RESUMED", "halt", "Trading resumed", about="resumed_by"),
    "commission_accrued": Meaning(
        "COMMISSION_AWARDED", "award", "Commission of {amount} {currency} on a trade", about="owner_id"
    ),
    "referral_commission_accrued": Meaning(
        "COMMISSION_AWARDED", "award", "Commission of {amount} {currency} on a first deposit", about="owner_id"
    ),
    "commission_reversed": Meaning(
        "COMMISSION_REVERSED", "award", "Commission of {amount} {currency} taken back", about="owner_id"
    ),
    "commission_rule_changed": Meaning(
        "COMMISSION_RULE_CHANGED",
        "rule",
        "Rule version {rule_version}: referral {referral_percent} %, markup {markup_percent} %",
        about="owner_id",
    ),
    "referral_registered": Meaning(
        "REFERRAL_REGISTERED", "referral", "Somebody registered with a code", about="owner_id"
    ),
    "referral_code_changed": Meaning(
        "REFERRAL_CODE_CHANGED", "code", "Referral code changed: {changed}", about="owner_id"
    ),
}
"""By type of event. `subject_id` of the entry is the event's own subject."""


def describe(meaning: Meaning, data: Mapping[str, Any]) -> str:
    """The sentence for people; amounts in `data` are text already. Raises KeyError when a field is missing."""
    changed = data.get("changed")
    fields = data if changed is None else {**data, "changed": ", ".join(changed)}
    if data.get("wins_ties"):
        fields = {**fields, "contract_type": f"{data['contract_type']}E"}
    return meaning.sentence.format_map(fields)


def about(meaning: Meaning, data: Mapping[str, Any]) -> str | None:
    """Whom it is about; of a ledger transaction the one user of all its lines, if there is only one."""
    if "lines" in data:
        users = {line["user_id"] for line in data["lines"]}
        return users.pop() if len(users) == 1 else None
    found: str | None = data[meaning.about]
    return found
