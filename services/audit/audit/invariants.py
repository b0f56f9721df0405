"""What must always be true of our tables, as SQL that `verify` runs in one snapshot as `nexus_verify`.

`INVARIANTS`: each query gives the id and some detail of what violates it, so nothing when all is well. `CLAIMS` and
`FACTS`: (key, value) pairs; a claim must find the same pair among the facts of the same name in another service.
The signature of the head is checked by `verify_chain`, which knows the key.
"""

from __future__ import annotations

from typing import Final

from audit.models import CONTENT, PERSONAL_HASH
from shared.chassis.invariants import Invariant

INVARIANTS: Final = (
    Invariant(
        name="sealed_as_it_was",
        explain="An entry and its archived event are what they were when they were sealed.",
        sql=f"""
            SELECT s.entry_id::text AS id, 'seal ' || s.number || CASE WHEN e.id IS NULL THEN ' without entry'
                ELSE ' of another content' END AS detail
            FROM seals AS s
            LEFT JOIN entries AS e ON e.id = s.entry_id
            LEFT JOIN archive AS a ON a.event_id = e.event_id
            WHERE e.id IS NULL OR s.hash IS DISTINCT FROM sha256(s.prev || {CONTENT})
        """,
    ),
    Invariant(
        name="chain_unbroken",
        explain="Seals are numbered from 1 without a gap, and each follows the hash of the one before.",
        sql="""
            SELECT number::text AS id, 'after ' || coalesce(before::text, 'nothing') AS detail
            FROM (
                SELECT number, prev, lag(number) OVER chain AS before, lag(hash) OVER chain AS hash_before
                FROM seals WINDOW chain AS (ORDER BY number)
            ) AS s
            WHERE number <> coalesce(before, 0) + 1
                OR prev <> coalesce(hash_before, decode(repeat('00', 32), 'hex'))
        """,
    ),
    Invariant(
        name="heads_are_seals",
        explain="Each signed head is the hash of its seal, and the last one that of the last seal.",
        sql="""
            SELECT h.upto::text AS id, 'head of another hash' AS detail
            FROM seal_heads AS h LEFT JOIN seals AS s ON s.number = h.upto WHERE s.hash IS DISTINCT FROM h.hash
            UNION ALL
            SELECT number::text, 'last seal without head' FROM (SELECT max(number) AS number FROM seals) AS s
            WHERE number IS DISTINCT FROM (SELECT max(upto) FROM seal_heads)
        """,
    ),
    Invariant(
        name="sealed_in_time",
        explain="Entries are sealed within seconds of being recorded, and wait for it in the queue until then.",
        sql="""
            SELECT e.id::text AS id, 'recorded ' || e.created_at || CASE WHEN u.entry_id IS NULL THEN ', not queued'
                ELSE '' END AS detail
            FROM entries AS e
            LEFT JOIN seals AS s ON s.entry_id = e.id
            LEFT JOIN unsealed AS u ON u.entry_id = e.id
            WHERE s.entry_id IS NULL AND (u.entry_id IS NULL OR e.created_at < now() - interval '60 seconds')
            UNION ALL
            SELECT u.entry_id::text, 'queued' || CASE WHEN e.id IS NULL THEN ' without entry' ELSE ' and sealed' END
            FROM unsealed AS u
            LEFT JOIN entries AS e ON e.id = u.entry_id
            LEFT JOIN seals AS s ON s.entry_id = u.entry_id
            WHERE e.id IS NULL OR s.entry_id IS NOT NULL
        """,
    ),
    Invariant(
        name="entries_are_events",
        explain="Every entry of an event has the event in the archive, says what it says, and the other way round.",
        sql="""
            SELECT coalesce(e.event_id, a.event_id)::text AS id, CASE WHEN a.event_id IS NULL THEN 'not archived'
                WHEN e.event_id IS NULL THEN 'without entry' ELSE 'differs' END AS detail
            FROM (SELECT * FROM entries WHERE event_id IS NOT NULL) AS e
            FULL JOIN (
                SELECT archive.*, w.data, w.correlation_id, w.causation_id, w.actor,
                    (archive.event_id, archive.source, archive.type, archive.version, archive.subject,
                    archive.subject_version, archive.occurred_at) IS NOT DISTINCT FROM
                    (w.id, w.source, w.type, w.version, w.subject, w.subject_version, w.occurred_at) AS agrees
                FROM archive CROSS JOIN LATERAL jsonb_to_record(envelope::jsonb) AS w (
                    id uuid, source text, type text, version integer, subject text, subject_version bigint,
                    occurred_at timestamptz, correlation_id text, causation_id text, actor jsonb, data jsonb
                )
            ) AS a ON a.event_id = e.event_id
            WHERE a.agrees IS NOT TRUE
                OR (e.metadata, e.subject_id, e.occurred_at, e.correlation_id, e.causation_id, e.actor_user_id::text,
                    e.actor_role, e.actor_kind) IS DISTINCT FROM
                    (a.data, a.subject, a.occurred_at, a.correlation_id, a.causation_id, a.actor ->> 'user_id',
                    a.actor ->> 'role', a.actor ->> 'kind')
        """,
    ),
    Invariant(
        name="nothing_personal_kept",
        explain="The archive holds neither names and addresses nor secrets.",
        sql="""
            SELECT event_id::text AS id, type AS detail
            FROM archive WHERE envelope::jsonb ?| ARRAY['personal', 'secret']
        """,
    ),
    Invariant(
        name="personal_data_as_it_was",
        explain="Personal data, where it has not been erased, is what its entry has the hash of.",
        sql=f"""
            SELECT p.entry_id::text AS id, CASE WHEN e.id IS NULL THEN 'without entry' ELSE 'differs' END AS detail
            FROM personal_data AS p LEFT JOIN entries AS e ON e.id = p.entry_id
            WHERE e.personal_hash IS DISTINCT FROM {PERSONAL_HASH}
        """,
    ),
)

CLAIMS: Final[dict[str, str]] = {
    # The version of every user that audit knows: users is as far.
    "user_copy_audit": "SELECT user_id::text AS key, version::text AS value FROM user_copies",
}

FACTS: Final[dict[str, str]] = {
    # What has been told of each trade, sorted and joined: cancelled, opened, settled.
    "audited_trade": """
        SELECT key, string_agg(word, '+' ORDER BY word COLLATE "C") AS value
        FROM (
            SELECT DISTINCT subject_id AS key, CASE action WHEN 'TRADE_CREATED' THEN 'opened'
                WHEN 'TRADE_CLOSED' THEN 'settled' ELSE 'cancelled' END AS word
            FROM entries
            WHERE action IN ('TRADE_CREATED', 'TRADE_CLOSED', 'TRADE_CANCELLED') AND event_id IS NOT NULL
        ) AS told
        GROUP BY key
    """,
    "audited_ledger": """
        SELECT subject_id AS key, '1' AS value FROM entries
        WHERE action = 'TRANSACTION_RECORDED' AND event_id IS NOT NULL
    """,
    "audited_award": """
        SELECT subject_id AS key, '1' AS value FROM entries
        WHERE action = 'COMMISSION_AWARDED' AND event_id IS NOT NULL
    """,
}
