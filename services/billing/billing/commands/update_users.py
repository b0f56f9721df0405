"""Take over what users told, and pay out what was kept for those who are not frozen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import text

from billing import copies, events, ledger, rules
from billing.commands.find_payees import Owner, find_payees
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.envelope import Received
from shared.contracts.users.events import UserRegistered, UserUpdated

Told = Received[UserRegistered | UserUpdated]

_KEPT: Final = text(
    "SELECT CAST(user_id AS text) AS user_id, currency, balance FROM payable_lock(CAST(:users AS uuid[]))"
    " WHERE balance > 0"
)


def update_users(db: Database, told: Sequence[Told], *, now: datetime) -> None:
    """The newest copies, and for everybody whose new one is not frozen what his payable accounts hold.

    Paid also when it is a present state sent again that frees him: whatever frees him is all that will ever come.
    """
    with db.transaction() as tx:
        free = {event.data.user_id: event for event in copies.keep_users(db, told) if not event.data.is_frozen}
        if not free:
            return
        kept = tx.execute(_KEPT, {"users": list(free)}).all()
        owed = [((row.user_id, row.currency), row.balance, free[row.user_id]) for row in kept]
        payees = find_payees(tx, [(owner, cause.envelope) for owner, _, cause in owed], now=now) if owed else {}
        payouts = [_make_payout(owner, amount, payees[owner].account, cause) for owner, amount, cause in owed]
        posted = ledger.post(tx, payouts, now=now)
        news = [
            events.make_transaction_recorded(one, now, cause=cause.envelope)
            for one, (_, _, cause) in zip(posted, owed, strict=True)
        ]
        outbox.add_many(tx, news)


def _make_payout(owner: Owner, amount: int, account: rules.Account, cause: Told) -> rules.LedgerTx:
    user_id, currency = owner
    return rules.LedgerTx(
        kind="payout",
        ref=f"{user_id}:{currency}:{cause.subject_version}",
        environment="real",
        currency=currency,
        correlation_id=cause.envelope.correlation_id,
        legs=[
            rules.Leg(account=ledger.payable("real", currency, user_id), amount=-amount),
            rules.Leg(account=account, amount=amount, tx_type="COMMISSION", metadata={"payout": True}),
        ],
    )
