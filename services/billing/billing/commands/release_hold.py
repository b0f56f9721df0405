"""Give reserved money back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text

from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.rpc import ReleaseAnswer

_RELEASE: Final = text("SELECT hold_release(CAST(:id AS uuid), CAST(:user AS uuid), :reason, :now)")


def release_hold(db: Database, caller: Context, *, hold_id: str, reason: str, now: datetime) -> ReleaseAnswer:
    """Releases one's own hold (staff and the system: anybody's), or makes sure that it never comes.

    Raises Unauthorized, AccountNotFound for somebody else's.
    """
    owner = None if caller.kind in ("system", "staff") else caller.require_user()
    with db.transaction() as tx:
        state = tx.execute(_RELEASE, {"id": hold_id, "user": owner, "reason": reason, "now": now}).scalar_one()
        if state is None:
            raise AccountNotFound()
    return ReleaseAnswer(hold_id=hold_id, state=state)
