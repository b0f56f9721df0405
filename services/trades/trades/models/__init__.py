"""The tables, and what may become of a trade."""

from trades.models import copies, market, tables
from trades.models.columns import metadata
from trades.models.trade import SETTLED, Trade

__all__ = ["SETTLED", "Trade", "copies", "market", "metadata", "tables"]
