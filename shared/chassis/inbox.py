"""Hearing twice, acting once, for consumers whose effect has no unique business key of its own."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Column, Connection, DateTime, MetaData, Table, Text, Uuid, func, text


def inbox_table(metadata: MetaData) -> Table:
    """The table `inbox` of a service."""
    return Table(
        "inbox",
        metadata,
        Column("consumer", Text, primary_key=True),
        Column("message_id", Uuid(as_uuid=False), primary_key=True),
        Column("received_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    )


_INSERT = text(
    "INSERT INTO inbox (consumer, message_id)"
    " SELECT :consumer, id FROM unnest(CAST(:ids AS uuid[])) AS new(id) ORDER BY id"
    " ON CONFLICT DO NOTHING RETURNING message_id"
)


def only_new(tx: Connection, consumer: str, ids: Sequence[str]) -> set[str]:
    """The ids that `consumer` has not had before; they are noted in the same commit as their effect."""
    found = tx.execute(_INSERT, {"consumer": consumer, "ids": list(dict.fromkeys(ids))})
    return {str(row.message_id) for row in found}
