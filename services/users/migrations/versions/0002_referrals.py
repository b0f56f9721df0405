"""The code that a user came by, ids before claims, and what tells a new device."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql" / "0002_referrals.sql"


def upgrade() -> None:
    """Runs the file as it is: a percent sign in it is not a parameter."""
    op.get_bind().exec_driver_sql(_SQL.read_text(), execution_options={"no_parameters": True})


def downgrade() -> None:
    """Takes it away; who was brought by whom is known without the code."""
    op.execute("DROP INDEX public.session_origins_device")
    op.execute("DROP TABLE public.registrations")
    op.execute("ALTER TABLE public.users DROP CONSTRAINT users_referral_whole, DROP COLUMN code_id")
