"""Give affiliates what they have earned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from billing import events, ledger
from billing.commands.find_payees import find_payees
from billing.commands.make_commission import make_commission, owner_of
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.commission.events import CommissionAccrued, ReferralCommissionAccrued
from shared.contracts.envelope import Received


def credit_commissions(
    db: Database, accrued: Sequence[Received[CommissionAccrued | ReferralCommissionAccrued]], *, now: datetime
) -> None:
    """One ledger transaction an award, for ever; it ends on the owner's REAL account, opened if he has none.

    A frozen owner's stays on his payable account until he is free again. Raises HoldMismatch for an award that is in
    the books with other contents.
    """
    with db.transaction() as tx:
        payees = find_payees(tx, [(owner_of(one.data), one.envelope) for one in accrued], now=now)
        posted = ledger.post(tx, [make_commission(one, payees[owner_of(one.data)]) for one in accrued], now=now)
        news = [
            events.make_transaction_recorded(result, now, cause=one.envelope)
            for one, result in zip(accrued, posted, strict=True)
            if not result.replayed
        ]
        outbox.add_many(tx, news)
