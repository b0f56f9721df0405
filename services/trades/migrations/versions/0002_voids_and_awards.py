"""Voided trades, what awards make of a trade's commission, and copies of codes and rules."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql" / "0002_voids_and_awards.sql"
_DROPPED = (
    "TABLE public.applied_awards, public.code_copies, public.rule_copies",
    "FUNCTION public.refuse_change",
    "INDEX public.trades_cancelled",
)
_COLUMNS = ("settled_status", "settled_payout", "void_reason", "voided_at", "voided_by")


def upgrade() -> None:
    """Runs the file as it is: a percent sign in it is not a parameter."""
    op.get_bind().exec_driver_sql(_SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Takes away what was added; a voided trade forgets what it was."""
    for what in _DROPPED:
        op.execute(f"DROP {what}")
    op.execute(f"ALTER TABLE public.trades {', '.join(f'DROP COLUMN {name}' for name in _COLUMNS)}")
