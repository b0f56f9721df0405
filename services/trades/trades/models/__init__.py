"""The tables, and what may become of a trade."""

from trades.models.tables import metadata
from trades.models.trade import SETTLED, Trade

__all__ = ["SETTLED", "Trade", "metadata"]
