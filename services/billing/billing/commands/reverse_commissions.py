"""Take awards back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from billing import events, ledger, rules
from billing.commands.find_payees import Owner, Payee, find_payees
from billing.commands.make_commission import make_commission, make_credit, make_metadata, owner_of
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.commission.events import CommissionReversed
from shared.contracts.envelope import Received

_KEPT: Final = text(
    "SELECT CAST(user_id AS text) AS user_id, currency, balance FROM payable_lock(CAST(:users AS uuid[]))"
)
# The account that an award in the books was paid to, and whether it has its mirror.
_ORIGINALS: Final = text(
    "SELECT t.ref, CAST(paid.account_id AS text) AS account_id,"
    " EXISTS (SELECT FROM ledger_tx m WHERE m.reverses = t.id) AS is_reversed"
    " FROM ledger_tx t LEFT JOIN LATERAL (SELECT x.account_id FROM transactions x"
    " WHERE x.ledger_tx_id = t.id AND x.tx_type = 'COMMISSION' LIMIT 1) paid ON true"
    " WHERE t.kind = 'commission' AND t.ref = ANY (:awards)"
)


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a mirror takes its money from: first what is kept for the owner, the rest from his account."""

    kept: int
    rest: Payee


def reverse_commissions(db: Database, reversed_: Sequence[Received[CommissionReversed]], *, now: datetime) -> None:
    """The award is in the books, written from this event if it came first, and its mirror, once.

    What was paid out comes from the account that it went to; what is missing there becomes a debt. What is still kept
    for a frozen owner comes from there. Raises HoldMismatch for an award that is in the books with other contents.
    """
    with db.transaction() as tx:
        payees = find_payees(tx, [(owner_of(one.data), one.envelope) for one in reversed_], now=now)
        sources = _find_sources(tx, [one.data for one in reversed_], payees)
        caused, requests = [], []
        for one in reversed_:
            caused += [one, one]
            requests += [
                make_commission(one, payees[owner_of(one.data)]),
                _make_mirror(one, sources[one.data.award_id]),
            ]
        posted = ledger.post(tx, requests, now=now)
        news = [
            events.make_transaction_recorded(result, now, cause=one.envelope)
            for one, result in zip(caused, posted, strict=True)
            if not result.replayed
        ]
        outbox.add_many(tx, news)


def _find_sources(
    tx: Connection, awards: Sequence[CommissionReversed], payees: Mapping[Owner, Payee]
) -> dict[str, _Source]:
    # First the locks, then what they keep still.
    users = sorted({award.owner_id for award in awards})
    kept = {(row.user_id, row.currency): row.balance for row in tx.execute(_KEPT, {"users": users})}
    found = tx.execute(_ORIGINALS, {"awards": [award.award_id for award in awards]}).all()
    originals = {row.ref: row for row in found}
    sources: dict[str, _Source] = {}
    for award in awards:
        owner, original = owner_of(award), originals.get(award.award_id)
        payee = payees[owner]
        if award.award_id in sources:
            continue
        if original is not None and original.is_reversed:
            # It is not posted again, wherever it says to take the money from.
            sources[award.award_id] = _Source(award.amount, payee)
        elif original is not None and original.account_id is not None:
            sources[award.award_id] = _Source(0, Payee(original.account_id, payee.is_frozen))
        elif original is None and not payee.is_frozen:
            sources[award.award_id] = _Source(0, payee)
        else:
            # Written in this very transaction, it is kept like those before it.
            there = kept.get(owner, 0) + (award.amount if original is None else 0)
            taken = min(there, award.amount)
            kept[owner] = there - taken
            sources[award.award_id] = _Source(taken, payee)
    return sources


def _make_mirror(received: Received[CommissionReversed], source: _Source) -> rules.LedgerTx:
    award = received.data
    payable = ledger.payable("real", award.currency, award.owner_id)
    legs = []
    rest = award.amount - source.kept
    if rest:
        metadata = {**make_metadata(award), "reversed": True}
        legs += [
            make_credit(award, source.rest.account, -rest, metadata),
            rules.Leg(account=payable, amount=rest, is_incidental=True),
        ]
    legs += [
        rules.Leg(account=payable, amount=-award.amount),
        rules.Leg(account=ledger.house("real", award.currency, "markup"), amount=award.amount),
    ]
    return rules.LedgerTx(
        kind="commission_reversal",
        ref=award.award_id,
        environment="real",
        currency=award.currency,
        correlation_id=received.envelope.correlation_id,
        reverses=("commission", award.award_id),
        debtor=award.owner_id,
        legs=legs,
    )
