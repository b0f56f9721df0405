"""Equations of entries, balances, holds and statement lines."""

from __future__ import annotations

from typing import Final

ENTRIES: Final[dict[str, str]] = {
    "entries sum to zero per environment and currency": """
        SELECT t.environment || ':' || t.currency AS id, 'sum ' || sum(p.amount) AS detail
        FROM postings AS p JOIN ledger_tx AS t ON t.id = p.tx_id
        GROUP BY t.environment, t.currency HAVING sum(p.amount) <> 0
    """,
    "every ledger transaction balances in its own environment and currency": """
        SELECT t.id::text AS id, t.kind || ' ' || t.ref || ': sum ' || coalesce(sum(p.amount), 0) AS detail
        FROM ledger_tx AS t
        LEFT JOIN postings AS p ON p.tx_id = t.id
        LEFT JOIN accounts AS a ON a.id = p.account_id
        GROUP BY t.id
        HAVING count(a.id) < 2 OR sum(p.amount) <> 0 OR count(a.id) <> count(p.tx_id)
            OR NOT bool_and(a.currency = t.currency AND a.environment = t.environment)
            OR NOT bool_and(a.append_only = (p.version IS NULL))
    """,
    "every posting belongs to a ledger transaction": """
        SELECT p.tx_id::text AS id, 'line ' || p.line AS detail
        FROM postings AS p LEFT JOIN ledger_tx AS t ON t.id = p.tx_id AND t.xact = p.xact WHERE t.id IS NULL
    """,
    "balances are the sum of the entries": """
        SELECT a.id::text AS id, a.balance || ' in version ' || a.version || ', entries say '
            || coalesce(sum(p.amount), 0) || ' in ' || count(p.tx_id) AS detail
        FROM accounts AS a LEFT JOIN postings AS p ON p.account_id = a.id
        WHERE NOT a.append_only
        GROUP BY a.id HAVING a.balance <> coalesce(sum(p.amount), 0) OR a.version <> count(p.tx_id)
    """,
    "versions have no gap and balances follow from one to the next": """
        SELECT account_id::text AS id, 'version ' || version || ' with balance ' || balance_after AS detail
        FROM (
            SELECT account_id, version, balance_after, row_number() OVER chain AS expected,
                sum(amount) OVER chain AS total
            FROM postings WHERE version IS NOT NULL WINDOW chain AS (PARTITION BY account_id ORDER BY version)
        ) AS p
        WHERE version <> expected OR balance_after <> total
    """,
    "held is the sum of the holds": """
        SELECT a.id::text AS id, a.held || ', holds say ' || coalesce(sum(h.amount), 0) AS detail
        FROM accounts AS a LEFT JOIN holds AS h ON h.account_id = a.id AND h.state = 'HELD'
        GROUP BY a.id HAVING a.held <> coalesce(sum(h.amount), 0)
    """,
    "available is not below the floor": """
        SELECT id::text AS id, balance - held || ' under ' || floor AS detail
        FROM accounts WHERE kind = 'client' AND balance - held < floor
    """,
    "a settled hold has its ledger transaction": """
        SELECT h.id::text AS id, 'no ' || coalesce(h.reason, '?') AS detail
        FROM holds AS h LEFT JOIN ledger_tx AS t ON t.kind = h.reason AND t.ref = h.id::text
        WHERE h.state = 'SETTLED' AND t.id IS NULL
    """,
    "a settlement has used its hold": """
        SELECT t.id::text AS id, 'hold ' || t.ref || ' is ' || coalesce(h.state, 'missing') AS detail
        FROM ledger_tx AS t LEFT JOIN holds AS h ON h.id::text = t.ref
        WHERE t.kind = 'settle' AND h.state IS DISTINCT FROM 'SETTLED'
    """,
    "every entry of a client is one statement line, and every finished line an entry": """
        SELECT coalesce(p.tx_id, x.ledger_tx_id)::text AS id, 'line ' || coalesce(p.line, x.line)
            || CASE WHEN x.id IS NULL THEN ' missing' WHEN p.tx_id IS NULL THEN ' without entry' ELSE ' differs' END
            AS detail
        FROM (
            SELECT p.tx_id, p.line, p.account_id, p.amount, p.balance_after, a.user_id, a.currency
            FROM postings AS p JOIN accounts AS a ON a.id = p.account_id WHERE a.kind = 'client'
        ) AS p
        FULL JOIN (SELECT * FROM transactions WHERE status = 'COMPLETED') AS x
            ON x.ledger_tx_id = p.tx_id AND x.line = p.line
        WHERE (x.account_id, x.amount, x.balance_after, x.user_id, x.currency)
            IS DISTINCT FROM (p.account_id, p.amount, p.balance_after, p.user_id, p.currency)
    """,
    "checkpoints are the sum of what they stand for": """
        SELECT c.account_id::text AS id, c.balance || ', entries say ' || coalesce(sum(p.amount), 0) AS detail
        FROM checkpoints AS c LEFT JOIN postings AS p ON p.account_id = c.account_id AND p.xact < c.upto
        WHERE c.upto <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
        GROUP BY c.account_id HAVING c.balance <> coalesce(sum(p.amount), 0)
    """,
}
