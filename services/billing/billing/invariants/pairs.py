"""What billing claims of others and says of itself: (key, value) pairs; amounts are minor units."""

from __future__ import annotations

from typing import Final

_SETTLEMENTS: Final = """
    SELECT t.ref AS key, concat_ws(
        ':', x.account_id, t.currency,
        -coalesce(sum(x.amount) FILTER (WHERE x.tx_type = 'TRADE_STAKE'), 0),
        -coalesce(sum(x.amount) FILTER (WHERE x.tx_type = 'MARKUP'), 0),
        coalesce(sum(x.amount) FILTER (WHERE x.tx_type = 'TRADE_PAYOUT'), 0)
    ) AS value
    FROM ledger_tx AS t JOIN transactions AS x ON x.ledger_tx_id = t.id
    WHERE t.kind = 'settle' GROUP BY t.id, x.account_id
"""
_VOIDS: Final = """
    SELECT DISTINCT t.ref AS key, x.account_id || ':' || t.currency AS value
    FROM ledger_tx AS t JOIN transactions AS x ON x.ledger_tx_id = t.id WHERE t.kind = 'void'
"""
_AWARDS: Final = """
    SELECT t.ref AS key, concat_ws(
        ':', min(a.user_id::text), t.currency, -sum(p.amount) FILTER (WHERE a.kind = 'house')
    ) AS value
    FROM ledger_tx AS t
    JOIN postings AS p ON p.tx_id = t.id
    JOIN accounts AS a ON a.id = p.account_id AND a.kind IN ('house', 'payable')
    WHERE t.kind = 'commission' GROUP BY t.id
"""
_TAKEN_BACK: Final = """
    SELECT t.ref AS key, sum(p.amount)::text AS value
    FROM ledger_tx AS t
    JOIN postings AS p ON p.tx_id = t.id
    JOIN accounts AS a ON a.id = p.account_id AND a.kind = 'house'
    WHERE t.kind = 'commission_reversal' GROUP BY t.id
"""
_DEPOSITS: Final = """
    SELECT x.id::text AS key, x.user_id::text AS value
    FROM transactions AS x JOIN accounts AS a ON a.id = x.account_id
    WHERE x.tx_type = 'DEPOSIT' AND x.status = 'COMPLETED' AND a.account_type = 'REAL'
"""
_HELD: Final = "FROM holds WHERE state = 'HELD'"

CLAIMS: Final[dict[str, str]] = {
    # account:currency:stake:markup:payout of every settlement in the books: trades knows the trade just so.
    "settled_trade": _SETTLEMENTS,
    # account:currency of every settled trade that the books have undone: trades has voided it.
    "voided_trade": _VOIDS,
    # The amount of every hold that stands: the trade is PENDING or OPEN and holds as much.
    "live_trade": f"SELECT id::text AS key, amount::text AS value {_HELD}",
    # owner:currency:amount of every award in the books: commission has decided so.
    "paid_award": _AWARDS,
    # The amount of every award that the books have undone: commission has taken it back.
    "reversed_award": _TAKEN_BACK,
    # The user of every first deposit: commission has written its decision on it.
    "deposit_decision": "SELECT transaction_id::text AS key, user_id::text AS value FROM first_deposits",
    # The user of every completed deposit: notifications has told him, once.
    "deposit_notification": _DEPOSITS,
    # Every ledger transaction: audit has one entry of it.
    "audited_ledger": "SELECT id::text AS key, '1' AS value FROM ledger_tx",
    # The version of every copy: users has it.
    "user_copy_billing": "SELECT user_id::text AS key, version::text AS value FROM user_copies",
}

FACTS: Final[dict[str, str]] = {
    "ledger_settlement": _SETTLEMENTS,
    "ledger_void": _VOIDS,
    "hold_of_open_trade": f"SELECT id::text AS key, account_id || ':' || amount AS value {_HELD}",
    "award_credited": _AWARDS,
    "award_taken_back": _TAKEN_BACK,
    "first_deposit": """
        SELECT x.id::text AS key, concat_ws(':', f.user_id, x.currency, x.amount) AS value
        FROM first_deposits AS f JOIN transactions AS x ON x.id = f.transaction_id
    """,
    "notified_deposit": _DEPOSITS,
    "account_copy_trades": "SELECT id::text AS key, terms_version::text AS value FROM accounts WHERE kind = 'client'",
}
