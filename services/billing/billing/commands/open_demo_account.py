"""A demo account for whoever asks, with play money in it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text

from billing import events, ledger, queries, rules
from shared.chassis import idempotency, outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.billing.rpc import OpenDemoAnswer
from shared.contracts.errors import ValidationFailed
from shared.contracts.money import CURRENCIES
from shared.utils.ids import new_id

_OPEN: Final = text("SELECT account_open(CAST(:id AS uuid), CAST(:user AS uuid), 'DEMO', :currency, :now)")


def open_demo_account(db: Database, caller: Context, *, currency: str, now: datetime) -> OpenDemoAnswer:
    """One per user and currency, however many ask at once; it opens with 10,000.00 by a ledger transaction.

    Raises Unauthorized, ValidationFailed for currencies without two decimals, IdempotencyMismatch.
    """
    user_id = caller.require_user()
    if CURRENCIES[currency] != rules.DEMO_DECIMALS:
        raise ValidationFailed.of("currency", "unsupported", "Demo accounts exist in currencies of two decimals.")
    asked = caller.idempotency
    with db.transaction() as tx:
        if asked is not None:
            idempotency.find(tx, user_id, asked)
        account_id = new_id()
        opened = {"id": account_id, "user": user_id, "currency": currency, "now": now}
        created = bool(tx.execute(_OPEN, opened).scalar_one())
        posted = ledger.post(tx, [_make_opening(account_id, currency, caller.correlation_id)] * created, now=now)
        account = queries.find_demo_account(tx, user_id, currency)
        if asked is not None and not idempotency.remember(tx, user_id, asked, account["id"]):
            idempotency.find(tx, user_id, asked)
        if created:
            news = [events.make_account_opened(account, now)]
            outbox.add_many(tx, news + [events.make_transaction_recorded(one, now) for one in posted])
    return OpenDemoAnswer(account=queries.account_view(account), created=created)


def _make_opening(account_id: str, currency: str, correlation_id: str) -> rules.LedgerTx:
    return rules.LedgerTx(
        kind="demo_opening",
        ref=account_id,
        environment="demo",
        currency=currency,
        correlation_id=correlation_id,
        legs=[
            rules.Leg(account=rules.Account(account_id), amount=rules.DEMO_OPENING, tx_type="DEPOSIT"),
            rules.Leg(account=ledger.house("demo", currency, "funding"), amount=-rules.DEMO_OPENING),
        ],
    )
