"""Seal what has been recorded: the next links of the chain, and a signed head."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text

from audit import chain
from audit.models import CONTENT
from shared.chassis.database import BATCH_STATEMENT_MS, Database

SIZE: Final = 1000
"""Entries of one round at most."""

_ANY: Final = text("SELECT EXISTS (SELECT FROM unsealed)")
# One sealer at a time in the whole database; the number is arbitrary, and used for nothing else here.
_ALONE: Final = text("SELECT pg_try_advisory_xact_lock(7305917)")
_WAITING: Final = text(
    f"""
    SELECT CAST(e.id AS text) AS id, {CONTENT} AS content
    FROM (SELECT entry_id FROM unsealed ORDER BY entry_id LIMIT :size) AS u
    JOIN entries AS e ON e.id = u.entry_id
    LEFT JOIN archive AS a ON a.event_id = e.event_id
    ORDER BY e.id
    """
)
_SEAL: Final = text(
    """
    WITH sealed AS (
        INSERT INTO seals (number, entry_id, prev, hash)
        SELECT :number + place, entry_id, lag(hash, 1, CAST(:prev AS bytea)) OVER (ORDER BY place), hash
        FROM unnest(CAST(:ids AS uuid[]), CAST(:hashes AS bytea[])) WITH ORDINALITY AS new (entry_id, hash, place)
    ), taken AS (
        DELETE FROM unsealed WHERE entry_id = ANY (CAST(:ids AS uuid[]))
    )
    INSERT INTO seal_heads (upto, hash, signature, key_id, sealed_at)
    VALUES (:upto, :hash, :signature, :key_id, :now)
    """
)


class ChainBroken(Exception):
    """Somebody has been at the chain: nothing is sealed on top of it, or the next head would vouch for what he did."""


def seal_entries(db: Database, key: chain.SealKey, *, now: datetime) -> int:
    """Seals up to `SIZE` entries in the order of their ids; returns how many. Raises ChainBroken."""
    with db.read() as tx:
        if not tx.execute(_ANY).scalar_one():
            return 0
    with db.transaction(statement_ms=BATCH_STATEMENT_MS) as tx:
        if not tx.execute(_ALONE).scalar_one():
            return 0
        last = chain.end(tx)
        if (problem := last.problem(key)) is not None:
            raise ChainBroken(problem)
        waiting = tx.execute(_WAITING, {"size": SIZE}).all()
        if not waiting:
            return 0
        hashes = chain.link(last.hash, [bytes(row.content) for row in waiting])
        upto = last.number + len(waiting)
        values = {
            "number": last.number,
            "prev": last.hash,
            "ids": [row.id for row in waiting],
            "hashes": hashes,
            "upto": upto,
            "hash": hashes[-1],
            "signature": key.sign(upto, hashes[-1], now),
            "key_id": key.key_id,
            "now": now,
        }
        tx.execute(_SEAL, values)
        return len(waiting)
