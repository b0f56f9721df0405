"""How everything ended, in words that do not depend on what is made on the way.

Ids of awards, ledger transactions and the like are called by what they are for. And what order may change and means
nothing is summed up: somebody who owes, or is frozen for a while, may have been paid before or after. So what a person
has is taken together: his accounts, what he owes, and what is kept for him.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from tests.events.world import World

End = dict[str, Counter[str]]

_NAMES: Final = {
    "commission": "SELECT id::text, concat_ws(' ', kind, sign, 'of', reference, owner_id) FROM awards",
    "referrals": "SELECT id::text, 'referral of ' || referred_user_id FROM referrals",
    # A ledger transaction is for an award that has a name itself: see `_called`.
    "billing": """
        SELECT id::text, concat_ws(' ', user_id, account_type, currency, deriv_account_id), ''
        FROM accounts WHERE kind = 'client'
        UNION ALL SELECT id::text, kind, ref FROM ledger_tx
    """,
}

_POSTED: Final = """
    SELECT t.id::text AS tx, t.environment, t.currency, t.reverses::text, p.amount,
        CASE a.kind WHEN 'house' THEN a.purpose ELSE a.user_id::text END AS party
    FROM ledger_tx t JOIN postings p ON p.tx_id = t.id JOIN accounts a ON a.id = p.account_id
"""

_ROWS: Final[Mapping[str, Mapping[str, str]]] = {
    "billing": {
        "balances of people and the house": f"""
            SELECT party, environment, currency, sum(amount) FROM ({_POSTED}) posted GROUP BY 1, 2, 3
        """,
        # A payout of what was kept moves nothing from one party to another.
        "ledger transactions": f"""
            SELECT tx, environment, currency, reverses, json_object_agg(party, amount) FROM (
                SELECT tx, environment, currency, reverses, party, sum(amount) AS amount FROM ({_POSTED}) posted
                GROUP BY 1, 2, 3, 4, 5 HAVING sum(amount) <> 0
            ) moved GROUP BY 1, 2, 3, 4
        """,
        "lines": """
            SELECT account_id::text, tx_type, reference, amount, currency, status FROM transactions
            WHERE tx_type <> 'COMMISSION' AND NOT metadata ?| ARRAY['debt', 'debt_repaid']
        """,
        "commissions, paid or kept": """
            SELECT user_id::text, currency, sum(amount) FROM (
                SELECT user_id, currency, amount FROM transactions WHERE tx_type = 'COMMISSION'
                UNION ALL
                SELECT a.user_id, a.currency, b.balance
                FROM accounts a JOIN account_balances b ON b.account_id = a.id WHERE a.kind = 'payable'
            ) earned GROUP BY 1, 2
        """,
        "accounts": """
            SELECT id::text, user_id::text, is_default, markup_percentage::text, terms_version, held
            FROM accounts WHERE kind = 'client'
        """,
        "holds": "SELECT id::text, account_id::text, user_id::text, amount, state, reason FROM holds",
        "first deposits": "SELECT user_id::text, transaction_id::text FROM first_deposits",
    },
    "trades": {
        "trades": """
            SELECT id::text, status, settled_status, payout, settled_payout, profit, commission_applied, version
            FROM trades
        """,
        "applied awards": "SELECT award_id::text, sign, trade_id::text, amount FROM applied_awards",
    },
    "commission": {
        "decisions": """
            SELECT subject_kind, subject_id::text, user_id::text, owner_id::text, currency, amount, due, outcome,
                reason, award_id::text
            FROM decisions
        """,
        "awards": """
            SELECT reference::text, kind, owner_id::text, user_id::text, sign, amount, currency,
                commission_rule_id::text, rule_version, metadata
            FROM awards
        """,
    },
    "referrals": {
        "codes": """
            SELECT id::text, code, kind, owner_id::text, uses, disabled, markup_percent::text, version, announced
            FROM referral_codes
        """,
        "referrals": """
            SELECT referred_user_id::text, owner_id::text, code_id::text, state, commission_awarded, announced
            FROM referrals
        """,
    },
    "notifications": {
        "notifications": """
            SELECT recipient_id::text, kind, string_to_array(fact, ':'), title, body, level, data, is_read
            FROM notifications
        """,
        "unread": "SELECT recipient_id::text, last_number, unread FROM counters",
    },
    "audit": {
        # Whom a commission in the books is about is read from its lines, which it has once it is paid; and of two
        # events that could both be the cause of a third it is the first to arrive.
        "audit entries": """
            SELECT action, subject_type, subject_id, result, description,
                CASE WHEN metadata ->> 'kind' LIKE 'commission%' THEN NULL ELSE user_id::text END,
                CASE WHEN causation_id IS NULL THEN actor_kind || ' ' || actor_user_id END
            FROM entries WHERE metadata ->> 'kind' IS DISTINCT FROM 'payout'
        """,
        "archive": """
            SELECT source, type, subject, subject_version
            FROM archive WHERE envelope::jsonb #>> '{data,kind}' IS DISTINCT FROM 'payout'
        """,
        "personal data": "SELECT user_id::text, personal FROM personal_data",
    },
}
COPIES: Final = {
    "billing": ("user_copies", "user_names"),
    "trades": ("user_copies", "account_copies", "code_copies", "rule_copies"),
    "commission": ("user_copies", "user_names"),
    "referrals": ("user_copies", "user_names"),
    "notifications": ("user_copies", "user_contacts"),
    "audit": ("user_copies", "user_names"),
}


def end_of(world: World) -> End:
    """Rows by what they are about, as text, each with how often it is there."""
    called = _called(world)
    found = {about: world.rows(service, sql) for service, asked in _ROWS.items() for about, sql in asked.items()}
    for service, tables in COPIES.items():
        for table in tables:
            found[f"{table} of {service}"] = world.rows(service, f"SELECT to_jsonb(c) FROM {table} c")
    return {about: Counter(_text(_named(row, called)) for row in rows) for about, rows in found.items()}


def differences(expected: End, found: End) -> dict[str, dict[str, list[str]]]:
    """A few rows of each kind that are in one of the two alone."""
    return {
        about: {"only expected": sorted(rows - found[about])[:5], "only found": sorted(found[about] - rows)[:5]}
        for about, rows in expected.items()
        if rows != found[about]
    }


def _called(world: World) -> dict[str, str]:
    called: dict[str, str] = {}
    for service, query in _NAMES.items():
        for id_, *words in world.rows(service, query):
            called[id_] = " ".join(called.get(word, word) for word in words)
    return called


def _named(value: Any, called: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return called.get(value, value)
    if isinstance(value, list | tuple):
        return [_named(item, called) for item in value]
    if isinstance(value, dict):
        return {_named(name, called): _named(item, called) for name, item in value.items()}
    return value


def _text(row: Any) -> str:
    return json.dumps(row, default=str, sort_keys=True)
