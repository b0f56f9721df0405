"""Equations of what entries stand for: deposits, commissions, mirrors of what was wrong, and debts."""

from __future__ import annotations

from typing import Final

_REAL_DEPOSITS: Final = """
    SELECT x.id, x.user_id, x.ledger_tx_id, x.amount
    FROM transactions AS x JOIN accounts AS a ON a.id = x.account_id
    WHERE x.tx_type = 'DEPOSIT' AND x.status = 'COMPLETED' AND a.account_type = 'REAL'
"""

DEALINGS: Final[dict[str, str]] = {
    "every user with accounts has one default account": """
        SELECT user_id::text AS id, count(*) FILTER (WHERE is_default) || ' of ' || count(*) AS detail
        FROM accounts WHERE kind = 'client' GROUP BY user_id HAVING count(*) FILTER (WHERE is_default) <> 1
    """,
    "every completed deposit is one ledger transaction under its own id": f"""
        SELECT coalesce(x.id::text, t.ref) AS id, 'line says ' || coalesce(x.amount::text, 'nothing')
            || ', ledger ' || coalesce(t.amount::text, 'nothing') AS detail
        FROM ({_REAL_DEPOSITS}) AS x
        FULL JOIN (
            SELECT t.id, t.ref, -sum(p.amount) AS amount
            FROM ledger_tx AS t
            JOIN postings AS p ON p.tx_id = t.id
            JOIN accounts AS a ON a.id = p.account_id AND a.purpose = 'external'
            WHERE t.kind = 'deposit' GROUP BY t.id
        ) AS t ON t.id = x.ledger_tx_id AND t.ref = x.id::text
        WHERE x.amount IS DISTINCT FROM t.amount
    """,
    "every user with a completed deposit has one first deposit, and it is his": f"""
        SELECT coalesce(x.user_id, f.user_id)::text AS id,
            'first is ' || coalesce(f.transaction_id::text, 'none') AS detail
        FROM (SELECT DISTINCT user_id FROM ({_REAL_DEPOSITS}) AS d) AS x
        FULL JOIN first_deposits AS f ON f.user_id = x.user_id
        LEFT JOIN ({_REAL_DEPOSITS}) AS own ON own.id = f.transaction_id AND own.user_id = f.user_id
        WHERE own.id IS NULL OR x.user_id IS NULL
    """,
    "a mirror has its own original": """
        SELECT t.id::text AS id, t.kind || ' ' || t.ref || ' of ' || concat_ws(' ', o.kind, o.ref) AS detail
        FROM ledger_tx AS t LEFT JOIN ledger_tx AS o ON o.id = t.reverses
        WHERE t.kind IN ('void', 'commission_reversal') AND (o.kind, o.ref)
            IS DISTINCT FROM (CASE t.kind WHEN 'void' THEN 'settle' ELSE 'commission' END, t.ref)
    """,
    "a mirror moves back what the house had moved": """
        SELECT t.id::text AS id, t.kind || ' ' || t.ref || ': ' || sum(p.amount) || ' left at ' || a.purpose AS detail
        FROM ledger_tx AS t
        JOIN postings AS p ON p.tx_id IN (t.id, t.reverses)
        JOIN accounts AS a ON a.id = p.account_id AND a.kind = 'house'
        WHERE t.reverses IS NOT NULL GROUP BY t.id, a.id HAVING sum(p.amount) <> 0
    """,
    "the hold of a voided trade is free": """
        SELECT t.ref AS id, 'still HELD' AS detail
        FROM ledger_tx AS t JOIN holds AS h ON h.id::text = t.ref WHERE t.kind = 'void' AND h.state = 'HELD'
    """,
    "an award is paid whole or kept whole": """
        SELECT t.id::text AS id, concat_ws(' ', t.ref, 'of', s.award, 'paid', s.paid, 'kept', s.kept) AS detail
        FROM ledger_tx AS t
        CROSS JOIN LATERAL (
            SELECT -coalesce(sum(p.amount) FILTER (WHERE a.kind = 'house'), 0) AS award,
                coalesce(sum(p.amount) FILTER (WHERE a.kind = 'payable'), 0) AS kept,
                coalesce(sum(x.amount) FILTER (WHERE x.tx_type = 'COMMISSION'), 0) AS paid
            FROM postings AS p
            JOIN accounts AS a ON a.id = p.account_id
            LEFT JOIN transactions AS x ON x.ledger_tx_id = p.tx_id AND x.line = p.line
            WHERE p.tx_id = t.id
        ) AS s
        WHERE t.kind = 'commission' AND (s.award, 0) NOT IN ((s.paid, s.kept), (s.kept, s.paid))
    """,
    "what is kept is kept for the frozen": """
        SELECT a.id::text AS id, b.balance || ' ' || a.currency || ' of ' || a.user_id AS detail
        FROM accounts AS a
        JOIN account_balances AS b ON b.account_id = a.id
        LEFT JOIN user_copies AS u ON u.user_id = a.user_id
        WHERE a.kind = 'payable' AND (b.balance < 0 OR b.balance > 0 AND u.is_frozen IS NOT TRUE)
    """,
    "nobody has repaid more than he owed": """
        SELECT id::text AS id, balance || ' ' || currency || ' of ' || user_id AS detail
        FROM accounts WHERE kind = 'receivable' AND balance > 0
    """,
    "a debt is what its lines say": """
        SELECT x.ledger_tx_id::text AS id, 'lines ' || sum(x.amount) || ', debts ' || coalesce(r.amount, 0) AS detail
        FROM transactions AS x
        LEFT JOIN LATERAL (
            SELECT sum(p.amount) AS amount
            FROM postings AS p JOIN accounts AS a ON a.id = p.account_id AND a.kind = 'receivable'
            WHERE p.tx_id = x.ledger_tx_id
        ) AS r ON true
        WHERE x.tx_type = 'ADJUSTMENT' AND num_nonnulls(x.metadata -> 'debt', x.metadata -> 'debt_repaid') = 1
        GROUP BY x.ledger_tx_id, r.amount HAVING sum(x.amount) + coalesce(r.amount, 0) <> 0
    """,
}
