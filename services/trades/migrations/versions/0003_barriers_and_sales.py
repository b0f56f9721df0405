"""Barriers, contracts that win on a tie, and sales before the end."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql" / "0003_barriers_and_sales.sql"
_RISE_AND_FALL = "CHECK ((contract_type, direction) IN (('CALL', 'RISE'), ('PUT', 'FALL')))"
_UNDONE = (
    "DROP CONSTRAINT trades_sold",
    "DROP COLUMN barrier",
    "DROP COLUMN sold_commission",
    "DROP CONSTRAINT trades_contract_type",
    f"ADD CONSTRAINT trades_contract_type {_RISE_AND_FALL}",
)


def upgrade() -> None:
    """Runs the file as it is: a percent sign in it is not a parameter."""
    op.get_bind().exec_driver_sql(_SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Takes away what was added. Refused while a trade is there that only the new version understands."""
    op.get_bind().exec_driver_sql(
        "DO $$ BEGIN IF EXISTS (SELECT FROM public.trades WHERE barrier IS NOT NULL) THEN"
        " RAISE EXCEPTION 'trades with a barrier cannot be kept without it'; END IF; END $$"
    )
    op.execute(f"ALTER TABLE public.trades {', '.join(_UNDONE)}")
