"""What must be true of trades, awards and the market's hours, and what others must say of trades."""

from __future__ import annotations

from typing import Final

from shared.chassis.invariants import Invariant

INVARIANTS: Final = (
    Invariant(
        name="pending_overdue",
        explain="The sweeper finishes an opening that broke off within seconds, unless billing is down.",
        sql="""
            SELECT id::text AS id, 'PENDING since ' || created_at AS detail
            FROM trades WHERE status = 'PENDING' AND opening_deadline < now() - interval '60 seconds'
        """,
    ),
    Invariant(
        name="open_overdue",
        explain="Due trades are settled at once by any process of the service.",
        sql="""
            SELECT id::text AS id, 'expired ' || expires_at AS detail
            FROM trades WHERE status = 'OPEN' AND expires_at < now() - interval '60 seconds'
        """,
    ),
    Invariant(
        name="profit_arithmetic",
        explain="Profit is payout less stake and markup, the hold covered both; WON pays as agreed, LOST nothing, "
        "and what is CANCELLED has won and lost nothing.",
        sql="""
            SELECT id::text AS id, concat_ws(' ', status, 'payout', payout, 'stake', stake, 'markup', markup_applied,
                'held', held, 'profit', profit) AS detail
            FROM trades
            WHERE held < stake + markup_applied
                OR status IN ('WON', 'LOST', 'CLOSED') AND profit IS DISTINCT FROM payout - stake - markup_applied
                OR status = 'CANCELLED' AND (payout IS NOT NULL OR profit IS DISTINCT FROM 0)
                OR coalesce(settled_status, status) = 'WON'
                    AND coalesce(settled_payout, payout) IS DISTINCT FROM potential_payout
                OR coalesce(settled_status, status) = 'LOST' AND coalesce(settled_payout, payout) IS DISTINCT FROM 0
        """,
    ),
    Invariant(
        name="status_consistent",
        explain="Contract, times, result, refusal and void are filled just as the status says.",
        sql="""
            SELECT id::text AS id, status || ' with contract ' || coalesce(contract_id, 'none') || ', closed '
                || coalesce(closed_at::text, 'never') AS detail
            FROM trades
            WHERE (status IN ('PENDING', 'REJECTED')) <> (contract_id IS NULL)
                OR (contract_id IS NULL) <> (expires_at IS NULL)
                OR (status IN ('PENDING', 'REJECTED', 'OPEN')) <> (closed_at IS NULL)
                OR (status IN ('WON', 'LOST', 'CLOSED')) AND payout IS NULL
                OR (status IN ('PENDING', 'REJECTED', 'OPEN')) AND num_nonnulls(payout, profit) > 0
                OR (status = 'REJECTED') <> (rejection IS NOT NULL)
                OR (status = 'CANCELLED') <> (num_nonnulls(void_reason, voided_at, voided_by) = 3)
                OR (settled_status IS NULL) <> (settled_payout IS NULL)
                OR settled_status IS NOT NULL AND (status <> 'CANCELLED' OR reason IS NULL)
                OR reason = 'expired' AND num_nonnulls(entry_spot, exit_spot) < 2
        """,
    ),
    Invariant(
        name="result_by_spots",
        explain="A CALL wins above its entry or barrier, a PUT below; only CALLE and PUTE win just there.",
        sql="""
            SELECT id::text AS id, concat_ws(' ', contract_type, barrier, entry_spot, exit_spot,
                coalesce(settled_status, status)) AS detail
            FROM (
                SELECT *, exit_spot - CASE
                    WHEN barrier IS NULL THEN entry_spot
                    WHEN barrier ~ '^[+-]' THEN entry_spot + barrier::numeric
                    ELSE barrier::numeric
                END AS above
                FROM trades WHERE reason = 'expired'
            ) AS t
            WHERE (coalesce(settled_status, status) = 'WON') IS DISTINCT FROM CASE contract_type
                WHEN 'CALL' THEN above > 0 WHEN 'PUT' THEN above < 0 WHEN 'CALLE' THEN above >= 0 ELSE above <= 0
            END
        """,
    ),
    Invariant(
        name="sold_before_end",
        explain="A sale falls between entry and end, at a price of nothing up to the payout, and says both spots.",
        sql="""
            SELECT id::text AS id, concat_ws(' ', 'sold at', closed_at, 'for', coalesce(settled_payout, payout),
                'of', potential_payout, 'between', starts_at, 'and', expires_at) AS detail
            FROM trades
            WHERE reason = 'sold' AND (
                coalesce(settled_status, status) <> 'CLOSED'
                OR coalesce(settled_payout, payout) NOT BETWEEN 0 AND potential_payout
                OR num_nonnulls(entry_spot, exit_spot) < 2
                OR closed_at <= starts_at
                OR closed_at >= expires_at
            )
        """,
    ),
    Invariant(
        name="commission_applied",
        explain="What affiliates earned from a trade is the sum of the awards that were applied to it.",
        sql="""
            SELECT t.id::text AS id,
                concat_ws(' ', 'says', t.commission_applied, 'and awards', coalesce(a.total, 0)) AS detail
            FROM trades AS t
            LEFT JOIN (
                SELECT trade_id, sum(sign * amount) AS total FROM applied_awards GROUP BY trade_id
            ) AS a ON a.trade_id = t.id
            WHERE t.commission_applied <> coalesce(a.total, 0)
        """,
    ),
    Invariant(
        name="award_mirrored",
        explain="An award is taken back whole and from the trade that it was applied to.",
        sql="""
            SELECT back.award_id::text AS id, concat_ws(' ', back.amount, 'of', back.trade_id, 'for', award.amount,
                'of', award.trade_id) AS detail
            FROM applied_awards AS back
            LEFT JOIN applied_awards AS award ON award.award_id = back.award_id AND award.sign = 1
            WHERE back.sign = -1 AND (back.trade_id, back.amount) IS DISTINCT FROM (award.trade_id, award.amount)
        """,
    ),
    Invariant(
        name="idempotency_subject",
        explain="A key and the trade that it stands for are written in one commit.",
        sql="""
            SELECT i.subject_id::text AS id, i.route AS detail
            FROM idempotency AS i LEFT JOIN trades AS t ON t.id = i.subject_id WHERE t.id IS NULL
        """,
    ),
    Invariant(
        name="market_hours",
        explain="Hours follow one another without a gap, and each commitment is the hash of its seed.",
        sql="""
            SELECT hour::text AS id, 'hour before it is missing, or its commitment is not of its seed' AS detail
            FROM (SELECT *, lag(hour) OVER (ORDER BY hour) AS before FROM market_hours) AS h
            WHERE hour - before <> 1 OR commitment <> sha256(seed)
        """,
    ),
    Invariant(
        name="market_chain",
        explain="Every hour has its levels and opens at the level that the one before closed at.",
        sql="""
            SELECT coalesce(l.hour, h.hour)::text AS id, coalesce(l.symbol, 'no levels') AS detail
            FROM (
                SELECT *, lag(closing) OVER (PARTITION BY symbol ORDER BY hour) AS before,
                    lag(hour) OVER (PARTITION BY symbol ORDER BY hour) AS hour_before
                FROM market_levels
            ) AS l
            FULL JOIN market_hours AS h ON h.hour = l.hour
            WHERE l.hour IS NULL OR h.hour IS NULL OR l.opening <> l.before OR l.hour - l.hour_before <> 1
        """,
    ),
)

# Also of trades that were CANCELLED afterwards: their first result stays in the books beside its mirror.
_EVER_SETTLED: Final = "FROM trades WHERE status IN ('WON', 'LOST', 'CLOSED') OR settled_status IS NOT NULL"
_SETTLED: Final = f"""
    SELECT id::text AS key,
        concat_ws(':', account_id, currency, stake, markup_applied, coalesce(settled_payout, payout)) AS value
    {_EVER_SETTLED}
"""
_DECIDED: Final = f"SELECT id::text AS key, 'settled' AS value {_EVER_SETTLED}"
_VOIDED: Final = """
    SELECT id::text AS key, account_id || ':' || currency AS value
    FROM trades WHERE status = 'CANCELLED' AND settled_status IS NOT NULL
"""
_TOLD: Final = f"SELECT id::text AS key, user_id::text AS value {_EVER_SETTLED}"
_EARNED: Final = "SELECT id::text AS key, commission_applied::text AS value FROM trades WHERE commission_applied <> 0"

CLAIMS: Final[dict[str, str]] = {
    # account:currency:stake:markup:payout of every trade that ever settled: billing has booked it just so.
    "ledger_settlement": _SETTLED,
    # account:amount of what an open trade rests on: billing holds it.
    "hold_of_open_trade": """
        SELECT id::text AS key, account_id || ':' || held AS value FROM trades WHERE status = 'OPEN'
    """,
    # account:currency of every trade that was settled and then CANCELLED: billing has booked the mirror.
    "ledger_void": _VOIDED,
    # Every trade that ever settled: commission has decided on it.
    "trade_decision": _DECIDED,
    # Its owner: notifications has told him, once.
    "trade_notification": _TOLD,
    # What has become of every trade that was bought: audit has one entry of each step.
    "audited_trade": """
        SELECT id::text AS key, concat_ws('+', CASE WHEN status = 'CANCELLED' THEN 'cancelled' END, 'opened',
            CASE WHEN status IN ('WON', 'LOST', 'CLOSED') OR settled_status IS NOT NULL THEN 'settled' END) AS value
        FROM trades WHERE status NOT IN ('PENDING', 'REJECTED')
    """,
    # What affiliates earned from a trade, in minor units: commission has awarded as much.
    "award_of_trade": _EARNED,
    # The version of every copy: its owner is not behind it, and not ahead of it either.
    "user_copy_trades": "SELECT user_id::text AS key, version::text AS value FROM user_copies",
    "account_copy_trades": "SELECT account_id::text AS key, version::text AS value FROM account_copies",
    "code_copy_trades": "SELECT code_id::text AS key, version::text AS value FROM code_copies",
    "rule_copy_trades": "SELECT owner_id::text AS key, version::text AS value FROM rule_copies",
}

FACTS: Final[dict[str, str]] = {
    "settled_trade": _SETTLED,
    "live_trade": "SELECT id::text AS key, held::text AS value FROM trades WHERE status IN ('PENDING', 'OPEN')",
    "voided_trade": _VOIDED,
    "decided_trade": _DECIDED,
    "notified_trade": _TOLD,
    "applied_award": _EARNED,
}
