"""Real accounts, deposits, commissions, mirrors of what was wrong, and the debts that they may leave."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_SQL = Path(__file__).parents[1] / "sql"
_FILES = ("tables", "accounts", "deposits", "commissions", "ledger_debts", "ledger_post")
_DROPPED = (
    "TRIGGER transactions_identity ON public.transactions",
    "TRIGGER transactions_kept ON public.transactions",
    "TABLE public.first_deposits",
    "FUNCTION public.ledger_post, public.ledger_debts, public.id_beside, public.payable_lock,"
    " public.commission_accounts, public.real_account, public.deposit_is_first, public.deposit_fail,"
    " public.deposit_lock, public.deposit_request, public.account_sync, public.account_open,"
    " public.account_set_markup",
    "TYPE public.ledger_tx_request, public.ledger_leg",
)
_BEFORE = ("0001_accounts", "0001_ledger_post")


def upgrade() -> None:
    """Runs the files as they are."""
    for name in _FILES:
        _run(f"{revision}_{name}")


def downgrade() -> None:
    """Takes away what was added and puts back what was replaced; whose first deposit was which is forgotten."""
    for what in _DROPPED:
        op.execute(f"DROP {what}")
    for name in _BEFORE:
        _run(name)


def _run(name: str) -> None:
    # A percent sign in them is not a parameter.
    sql = (_SQL / f"{name}.sql").read_text()
    op.get_bind().exec_driver_sql(sql, execution_options={"no_parameters": True})
