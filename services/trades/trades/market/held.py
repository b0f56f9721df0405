"""The contract that a trade holds."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from trades.market.port import Contract
from trades.models import Trade


def contract_of(trade: Trade) -> Contract:
    """Of a trade that was bought: OPEN, or whatever came after."""
    return Contract(
        contract_id=cast("str", trade.contract_id),
        symbol=trade.symbol,
        contract_type=trade.contract_type,
        stake=trade.stake,
        payout=trade.potential_payout,
        bought_at=cast("datetime", trade.opened_at),
        starts_at=cast("datetime", trade.starts_at),
        expires_at=cast("datetime", trade.expires_at),
        barrier=trade.barrier,
        unit=trade.duration_unit,
    )
