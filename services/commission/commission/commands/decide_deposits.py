"""Decide once about every first deposit what its depositor's referrer has earned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection, text

from commission import copies, events
from commission.models import Decision
from commission.models import decision as decisions
from commission.rules import verdict_on_deposit
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.billing.events import DepositCompleted
from shared.contracts.envelope import Received
from shared.contracts.errors import NotReady
from shared.contracts.money import percent_text, share_of
from shared.utils.ids import new_id

_Deposit = Received[DepositCompleted]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rate:
    """The version of a rule that was in force when a deposit was completed."""

    rule_id: str
    version: int
    referral_percent: Decimal


_RATES: Final = text(
    "SELECT CAST(told.deposit_id AS text) AS deposit_id, CAST(v.rule_id AS text) AS rule_id, v.version,"
    " v.referral_percent FROM unnest(CAST(:deposits AS uuid[]), CAST(:owners AS uuid[]),"
    " CAST(:times AS timestamptz[])) AS told (deposit_id, owner_id, occurred_at)"
    " JOIN rules AS r ON r.owner_id = told.owner_id"
    " CROSS JOIN LATERAL (SELECT * FROM rule_versions AS v WHERE v.rule_id = r.id AND v.valid_from <= told.occurred_at"
    " ORDER BY v.valid_from DESC LIMIT 1) AS v"
)


def decide_deposits(db: Database, completed: Sequence[_Deposit], *, now: datetime) -> None:
    """The referrer gets the share that his rule gave when the deposit was completed; the house pays it.

    Raises NotReady while the depositor is unknown here, Conflict for a deposit that was decided from other facts and
    for a second first deposit, ValueError for an event that makes no sense.
    """
    first = [event for event in completed if event.data.first_real and not event.envelope.republished]
    if not first:
        return
    with db.transaction() as tx:
        referrers = copies.lock(tx, {event.data.user_id for event in first})
        if any(event.data.user_id not in referrers for event in first):
            raise NotReady("the depositor's registration has not arrived here yet")
        # A version that is just being set is in force before it can be seen.
        copies.lock_shared(tx, {referrer for referrer in referrers.values() if referrer is not None})
        rates = _rates(tx, first, referrers)
        told = [
            _decision(event, referrers[event.data.user_id], rates.get(event.data.transaction_id)) for event in first
        ]
        causes = {one.award_id: event.envelope for one, event in zip(told, first, strict=True)}
        given = decisions.write(tx, told, now=now)
        outbox.add_many(tx, [events.referral_commission_accrued(one, causes[one.award_id]) for one in given])


def _rates(tx: Connection, first: Sequence[_Deposit], referrers: Mapping[str, str | None]) -> dict[str, _Rate]:
    asked = {
        "deposits": [event.data.transaction_id for event in first],
        "owners": [referrers[event.data.user_id] for event in first],
        "times": [event.envelope.occurred_at for event in first],
    }
    return {
        row.deposit_id: _Rate(rule_id=row.rule_id, version=row.version, referral_percent=row.referral_percent)
        for row in tx.execute(_RATES, asked)
    }


def _decision(event: _Deposit, referrer_id: str | None, rate: _Rate | None) -> Decision:
    deposit = event.data
    share = None if rate is None else share_of(deposit.amount, rate.referral_percent)
    verdict = verdict_on_deposit(user_id=deposit.user_id, referrer_id=referrer_id, share=share)
    return Decision(
        subject_kind="deposit",
        subject_id=deposit.transaction_id,
        user_id=deposit.user_id,
        owner_id=referrer_id,
        currency=deposit.currency,
        amount=deposit.amount,
        due=verdict.due,
        reason=verdict.reason,
        award_id=new_id(),
        rule_id=None if rate is None else rate.rule_id,
        rule_version=None if rate is None else rate.version,
        percent=None if rate is None else percent_text(rate.referral_percent),
        source="rule",
        occurred_at=event.envelope.occurred_at,
    )
