"""What can be asked of commission. Somebody else's rule looks like none."""

from __future__ import annotations

from typing import Any, cast

from sqlalchemy import text

from commission.models import Award, Rule
from commission.models import rule as rules
from commission.models.award import COLUMNS
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.contracts.commission.errors import RuleNotFound
from shared.contracts.commission.rpc import CommissionPage, CommissionView, RuleView
from shared.contracts.errors import Forbidden
from shared.contracts.money import percent_text, to_text
from shared.utils.time import to_rfc3339

_CONDITIONS = {
    "owner_id": "owner_id = CAST(:owner_id AS uuid)",
    "user_id": "user_id = CAST(:user_id AS uuid)",
    "kind": "kind = :kind",
    "reference": "reference = CAST(:reference AS uuid)",
}


def get_rule(db: Database, caller: Context, owner_id: str) -> RuleView:
    """For its owner and staff. Raises RuleNotFound."""
    user_id = caller.require_user()
    if not (caller.is_staff or owner_id == user_id):
        raise RuleNotFound()
    with db.read() as tx:
        rule = rules.find(tx, owner_id)
    if rule is None:
        raise RuleNotFound()
    return rule_view(rule)


def list_transactions(
    db: Database,
    caller: Context,
    *,
    owner_id: str | None,
    user_id: str | None,
    kind: str | None,
    reference: str | None,
    limit: int,
    after: str | None,
) -> CommissionPage:
    """Awards and reversals, newest first; everybody's for staff who do not say whose. Raises Forbidden."""
    own = caller.require_user()
    if not caller.is_staff and owner_id not in (None, own):
        raise Forbidden()
    filters = {
        "owner_id": owner_id if caller.is_staff else own,
        "user_id": user_id,
        "kind": kind,
        "reference": reference,
    }
    listing = Listing("commissions", own, filters)
    conditions = [_CONDITIONS[name] for name, value in filters.items() if value is not None]
    values: dict[str, Any] = {**filters, "rows": limit + 1}
    if after is not None:
        (values["before"],) = listing.position(after)
        conditions.append("id < CAST(:before AS uuid)")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    statement = f"SELECT {COLUMNS} FROM awards{where} ORDER BY awards.id DESC LIMIT :rows"
    with db.read() as tx:
        awards = [Award.of(row) for row in tx.execute(text(statement), values).mappings()]
    page = listing.page(awards, limit, position=lambda award: [award.id], view=_award_view)
    return cast("CommissionPage", page)


def rule_view(rule: Rule) -> RuleView:
    """The public form of a rule."""
    return RuleView(
        id=rule.id,
        owner_id=rule.owner_id,
        referral_percent=cast("str", percent_text(rule.referral_percent)),
        markup_percent=cast("str", percent_text(rule.markup_percent)),
        version=rule.version,
        created_at=to_rfc3339(rule.created_at),
        updated_at=to_rfc3339(rule.updated_at),
    )


def _award_view(award: Award) -> CommissionView:
    return CommissionView(
        id=award.id,
        commission_rule_id=award.commission_rule_id,
        owner_id=award.owner_id,
        user_id=award.user_id,
        amount=to_text(award.amount, award.currency),
        currency=award.currency,
        kind=award.kind,
        reference=award.reference,
        metadata=award.metadata,
        created_at=to_rfc3339(award.created_at),
    )
