"""A referral has earned its owner a commission."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from referrals.models import claims
from shared.chassis.database import Database
from shared.contracts.commission.events import ReferralCommissionAccrued
from shared.contracts.envelope import Received


def mark_awarded(db: Database, told: Sequence[Received[ReferralCommissionAccrued]], *, now: datetime) -> None:
    """Marks the referrals of the users who paid, also when their registration is still on its way."""
    with db.transaction() as tx:
        claims.mark_awarded(tx, list({event.data.user_id: None for event in told}), now=now)
