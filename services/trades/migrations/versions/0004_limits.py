"""Limits, halts, and accounts' days, counted from trades by the database."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql" / "0004_limits.sql"
_DROPPED = (
    "TRIGGER trades_changed ON public.trades",
    "TRIGGER trades_asked ON public.trades",
    "FUNCTION public.count_changed_trades, public.count_asked_trade, public.trade_shares",
    "FUNCTION public.is_limited",
    "TABLE public.account_days, public.halts, public.self_exclusions, public.account_limits",
    "INDEX public.trades_results",
)


def upgrade() -> None:
    """Runs the file as it is: a percent sign in it is not a parameter."""
    op.get_bind().exec_driver_sql(_SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Takes away what was added; nobody is limited any more."""
    for what in _DROPPED:
        op.execute(f"DROP {what}")
