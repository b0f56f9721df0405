"""Entries and the archive, the chain that seals them, personal data apart, and what guards them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql"
_FILES = ("tables", "chassis")
_DROPPED = (
    "TABLE public.user_names, public.user_copies, public.seal_heads, public.seals, public.unsealed,"
    " public.personal_data, public.archive, public.entries, public.outbox, public.idempotency",
    "FUNCTION public.refuse_change",
)


def upgrade() -> None:
    """Runs the files as they are: a percent sign in them is not a parameter."""
    for name in _FILES:
        sql = (_SQL / f"{revision}_{name}.sql").read_text()
        op.get_bind().exec_driver_sql(sql, execution_options={"no_parameters": True})


def downgrade() -> None:
    """Takes everything away."""
    for what in _DROPPED:
        op.execute(f"DROP {what}")
