"""Note on trades what affiliates earned from them, as commission tells it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.chassis.database import Database
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed
from shared.contracts.envelope import Received
from shared.contracts.errors import NotReady
from shared.utils.time import get_utc_now
from trades.models import awards
from trades.models.awards import Entry


def apply_awards(events: Sequence[Received[CommissionAccrued | CommissionReversed]], *, db: Database) -> None:
    """Awards count once, and not at all once they are taken back, in whatever order both arrive.

    Raises NotReady for a trade that is not here (after a restore), ValueError for an award in another currency.
    """
    told = [event.data for event in events]
    with db.transaction() as tx:
        currencies = awards.lock_trades(tx, {data.trade_id for data in told})
        for data in told:
            currency = currencies.get(data.trade_id)
            if currency is None:
                raise NotReady(f"trade {data.trade_id} is not here")
            if currency != data.currency:
                raise ValueError(f"award {data.award_id} is in {data.currency}, its trade in {currency}")
        awards.apply(tx, [entry for data in told for entry in _entries(data)], now=get_utc_now())


def _entries(data: CommissionAccrued | CommissionReversed) -> Iterator[Entry]:
    # A reversal brings its award along: if that has not come, it then comes too late.
    for sign in (1, -1) if isinstance(data, CommissionReversed) else (1,):
        yield Entry(award_id=data.award_id, sign=sign, trade_id=data.trade_id, amount=data.amount)
