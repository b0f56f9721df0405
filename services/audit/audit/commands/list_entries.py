"""Show entries to staff, and record that they have looked."""

from __future__ import annotations

from datetime import datetime
from typing import cast

from audit import queries
from audit.commands.record import record
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.chassis.pagination import Listing
from shared.contracts.audit.rpc import EntryPage
from shared.utils.ids import new_id
from shared.utils.time import to_rfc3339


def list_entries(
    db: Database,
    caller: Context,
    *,
    action: str | None,
    user_id: str | None,
    subject_id: str | None,
    limit: int,
    after: str | None,
    now: datetime,
) -> EntryPage:
    """Newest first. Nothing is shown unless the reading is recorded. Raises Forbidden, ValidationFailed."""
    reader = caller.require_staff()
    asked = {"action": action, "user_id": user_id, "subject_id": subject_id}
    filters = {name: value for name, value in asked.items() if value is not None}
    listing = Listing("entries", reader, filters)
    before = listing.position(after)[0] if after else None
    with db.transaction() as tx:
        rows = queries.newest(tx, filters, before=before, limit=limit + 1)
        page = listing.page(rows, limit, position=lambda row: [row["id"]], view=queries.view)
        record(
            db,
            caller,
            record_id=new_id(),
            action="AUDIT_READ",
            result="success",
            subject_type="audit",
            subject_id="entries",
            occurred_at=to_rfc3339(now),
            description="Audit entries read",
            metadata={"filters": filters, "before": before, "shown": len(page["results"])},
            now=now,
        )
    return cast("EntryPage", page)
