"""The tables, and what may become of a trade."""

from trades.models import copies, limits, market, tables
from trades.models.columns import metadata
from trades.models.trade import SETTLED, Trade

__all__ = ["SETTLED", "Trade", "copies", "limits", "market", "metadata", "tables"]
