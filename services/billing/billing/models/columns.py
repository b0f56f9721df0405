"""What the tables have in common."""

from __future__ import annotations

from typing import Final

from sqlalchemy import DateTime, MetaData, Uuid

metadata = MetaData()

WRITTEN_BY_FUNCTION: Final = {"append_only": True, "writer": "function"}
"""The service's role may only read: the ledger's functions write."""

ID: Final[Uuid[str]] = Uuid(as_uuid=False)
TIME: Final = DateTime(timezone=True)
