"""Accounts, ledger, holds and statements, with the triggers and functions that guard them."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql"
_FILES = ("tables", "chassis", "guards", "accounts", "holds", "ledger_post", "checkpoints")
_DROPPED = (
    "VIEW public.account_balances",
    "TABLE public.user_names, public.user_copies, public.checkpoints, public.transactions, public.holds,"
    " public.postings, public.ledger_tx, public.accounts, public.outbox, public.idempotency",
    "FUNCTION public.checkpoint_accounts, public.ledger_post, public.hold_place, public.hold_release,"
    " public.account_open, public.account_set_markup, public.check_ledger_tx, public.refuse_late_posting,"
    " public.refuse_finished_line, public.refuse_other_account, public.refuse_change",
    "TYPE public.ledger_tx_request, public.ledger_leg",
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
