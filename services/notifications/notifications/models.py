"""The tables of notifications."""

from __future__ import annotations

from sqlalchemy import MetaData

from shared.chassis.idempotency import idempotency_table
from shared.chassis.outbox import outbox_table

metadata = MetaData()

outbox = outbox_table(metadata)
idempotency = idempotency_table(metadata)
