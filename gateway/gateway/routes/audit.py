"""The audit trail, for staff."""

from __future__ import annotations

from gateway.answer import Answer
from gateway.endpoint import Call, Endpoint
from shared.contracts import schema
from shared.contracts.audit import rpc as audit


async def list_entries(call: Call) -> Answer:
    """Newest first; audit notes who has read."""
    return await call.pass_on("audit", "list_entries", schema.dump(call.query))


ENDPOINTS = [
    Endpoint(
        method="GET",
        path="/api/v1/audit",
        handler=list_entries,
        summary="Audit entries, newest first",
        tag="audit",
        who="staff",
        query=audit.ListEntriesRequest,
        answer=audit.EntryPage,
    )
]
