"""Notifications, their counters, and the copies of users."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql" / "0001_tables.sql"
_TABLES = ("notifications", "counters", "user_copies", "user_contacts", "outbox", "idempotency")


def upgrade() -> None:
    """Runs the file as it is: a percent sign in it is not a parameter."""
    op.get_bind().exec_driver_sql(_SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Takes everything away."""
    op.execute(f"DROP TABLE {', '.join(f'public.{name}' for name in _TABLES)}")
    op.execute("DROP FUNCTION public.refuse_change")
