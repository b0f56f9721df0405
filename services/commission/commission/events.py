"""From rows of commission to what leaves the house."""

from __future__ import annotations

from typing import Any, Final, cast

from sqlalchemy import Connection, text

from commission.models import Award, Decision, Rule
from commission.models.decision import LEVEL
from commission.models.rule import COLUMNS
from shared.chassis.outbox import Pending
from shared.contracts.commission.events import (
    CommissionAccrued,
    CommissionReversed,
    CommissionRuleChanged,
    ReferralCommissionAccrued,
)
from shared.contracts.envelope import Envelope
from shared.contracts.money import percent_text
from shared.utils.time import to_rfc3339

_PRESENT: Final = text(
    f"SELECT {COLUMNS} FROM rules WHERE CAST(:after AS uuid) IS NULL OR rules.id > CAST(:after AS uuid)"
    " ORDER BY rules.id LIMIT :limit"
)


def commission_accrued(decision: Decision, cause: Envelope) -> Pending:
    """An affiliate has earned a trade's markup."""
    data = CommissionAccrued(
        kind="MARKUP",
        trade_id=decision.subject_id,
        rule_id=decision.rule_id,
        rule_version=decision.rule_version,
        **_award(decision),
    )
    return Pending(data=data, subject=decision.award_id, cause=cause)


def referral_commission_accrued(decision: Decision, cause: Envelope) -> Pending:
    """A referrer has earned his share of a first deposit."""
    data = ReferralCommissionAccrued(
        kind="REFERRAL",
        deposit_id=decision.subject_id,
        rule_id=cast("str", decision.rule_id),
        rule_version=cast("int", decision.rule_version),
        **_award(decision),
    )
    return Pending(data=data, subject=decision.award_id, cause=cause)


def commission_reversed(reversal: Award, cause: Envelope) -> Pending:
    """An award is taken back; the subject is the award, in its second and last version."""
    award_id = cast("str", reversal.reverses)
    data = CommissionReversed(
        reversal_id=reversal.id,
        award_id=award_id,
        kind="MARKUP",
        trade_id=reversal.reference,
        owner_id=reversal.owner_id,
        user_id=reversal.user_id,
        currency=reversal.currency,
        amount=-reversal.amount,
        reason=reversal.metadata["reason"],
    )
    return Pending(data=data, subject=award_id, subject_version=2, cause=cause)


def commission_rule_changed(rule: Rule, before: Rule | None) -> Pending:
    """A rule has a new version; `before` is the one that it replaces."""
    data = CommissionRuleChanged(
        rule_id=rule.id,
        owner_id=rule.owner_id,
        rule_version=rule.version,
        valid_from=to_rfc3339(rule.updated_at),
        before={} if before is None else dict(_percents(before)),
        after=dict(_percents(rule)),
        **_percents(rule),
    )
    return Pending(data=data, subject=rule.id, subject_version=rule.version, occurred_at=rule.updated_at)


def present(tx: Connection, type_: str, *, after: str | None, limit: int) -> list[Pending]:
    """Present versions of rules, in order of their ids; `after` is the last id of the page before.

    Raises KeyError for a type that has no present state.
    """
    if type_ != CommissionRuleChanged.type:
        raise KeyError(type_)
    rows = tx.execute(_PRESENT, {"after": after, "limit": limit}).mappings()
    return [commission_rule_changed(Rule.of(row), None) for row in rows]


def _award(decision: Decision) -> dict[str, Any]:
    return {
        "award_id": decision.award_id,
        "owner_id": decision.owner_id,
        "user_id": decision.user_id,
        "currency": decision.currency,
        "amount": decision.due,
        "percent": decision.percent,
        "level": LEVEL,
    }


def _percents(rule: Rule) -> dict[str, str]:
    return {
        "referral_percent": cast("str", percent_text(rule.referral_percent)),
        "markup_percent": cast("str", percent_text(rule.markup_percent)),
    }
