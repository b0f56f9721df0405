"""Staff set what an owner earns from now on."""

from __future__ import annotations

import time
from decimal import Decimal
from typing import Final

from commission import copies, events
from commission.models import rule as rules
from commission.queries import rule_view
from commission.rules import Conditions, excesses
from shared.chassis import idempotency, outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.commission.rpc import RuleView
from shared.contracts.errors import FieldError, NotReady, ValidationFailed
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now, monotonic

_PATIENCE: Final = 1.0
"""Seconds that an owner's copy is waited for: his registration is on its way when staff can see him."""
_PAUSE: Final = 0.05


def set_rule(
    db: Database, caller: Context, *, owner_id: str, referral_percent: str, markup_percent: str, conditions: Conditions
) -> RuleView:
    """The next version of the owner's rule; the same percents again are the same version and announce nothing.

    Raises Unauthorized, Forbidden, ValidationFailed above a maximum, NotReady for an owner who is unknown here,
    IdempotencyMismatch.
    """
    staff_id = caller.require_staff()
    percents = {"referral_percent": Decimal(referral_percent), "markup_percent": Decimal(markup_percent)}
    too_large = excesses(**percents, conditions=conditions)
    if too_large:
        raise ValidationFailed(
            errors=[
                FieldError(field=field, code="too_large", message=f"At most {most} percent.")
                for field, most in too_large.items()
            ]
        )
    _wait_for(db, owner_id)
    asked = caller.idempotency
    with db.transaction() as tx:
        copies.lock(tx, [owner_id])
        before = rules.find(tx, owner_id)
        repeated = asked is not None and idempotency.find(tx, staff_id, asked) is not None
        if before is not None and (repeated or before.gives(**percents)):
            rule = before
        else:
            # Not the time at which the call came in: a deposit may have been decided while it waited for the lock.
            rule = rules.put(tx, rule_id=new_id(), owner_id=owner_id, **percents, set_by=staff_id, now=get_utc_now())
            outbox.add_many(tx, [events.commission_rule_changed(rule, before)])
        if asked is not None and not repeated and not idempotency.remember(tx, staff_id, asked, rule.id):
            idempotency.find(tx, staff_id, asked)
    return rule_view(rule)


def _wait_for(db: Database, owner_id: str) -> None:
    until = monotonic() + _PATIENCE
    while True:
        with db.read() as tx:
            if copies.is_known(tx, owner_id):
                return
        if monotonic() >= until:
            raise NotReady("the owner's registration has not arrived here yet")
        time.sleep(_PAUSE)
