"""What is counted by day is what the trades say."""

from __future__ import annotations

from typing import Final

from shared.chassis.invariants import Invariant

_COUNTED: Final = (
    "staked",
    "open_trades",
    "at_risk",
    "settled",
    "won",
    "lost",
    "settled_stake",
    "settled_markup",
    "payout",
    "profit",
    "biggest_win",
    "biggest_loss",
)
_SAID, _KEPT = (", ".join(f"coalesce({side}.{name}, 0)" for name in _COUNTED) for side in ("said", "kept"))

INVARIANTS: Final = (
    Invariant(
        name="account_days",
        explain="Stake and risk count on the day a trade is asked for, its result on the day it is closed; limits and "
        "statistics are read from that.",
        sql=f"""
            WITH share AS (
                SELECT account_id, CAST(created_at AT TIME ZONE 'UTC' AS date) AS day, stake AS staked,
                    CASE WHEN status IN ('PENDING', 'OPEN') THEN 1 END AS open_trades,
                    CASE status WHEN 'PENDING' THEN held WHEN 'OPEN' THEN stake + markup_applied END AS at_risk,
                    NULL::bigint AS settled_stake, NULL::bigint AS settled_markup, NULL::bigint AS payout,
                    NULL::bigint AS profit
                FROM trades WHERE status NOT IN ('REJECTED', 'CANCELLED')
                UNION ALL
                SELECT account_id, CAST(closed_at AT TIME ZONE 'UTC' AS date), NULL, NULL, NULL, stake, markup_applied,
                    payout, profit
                FROM trades WHERE status IN ('WON', 'LOST', 'CLOSED')
            ), said AS (
                SELECT account_id, day, sum(staked) AS staked, sum(open_trades) AS open_trades, sum(at_risk) AS at_risk,
                    count(profit) AS settled, count(*) FILTER (WHERE profit > 0) AS won,
                    count(*) FILTER (WHERE profit < 0) AS lost, sum(settled_stake) AS settled_stake,
                    sum(settled_markup) AS settled_markup, sum(payout) AS payout, sum(profit) AS profit,
                    greatest(max(profit), 0) AS biggest_win, least(min(profit), 0) AS biggest_loss
                FROM share GROUP BY account_id, day
            )
            SELECT coalesce(said.account_id, kept.account_id)::text AS id,
                concat_ws(' ', coalesce(said.day, kept.day), 'trades say', ({_SAID}), 'and kept is', ({_KEPT}))
                AS detail
            FROM said FULL JOIN account_days AS kept USING (account_id, day)
            WHERE ({_SAID}) <> ({_KEPT})
        """,
    ),
    Invariant(
        name="account_day_owner",
        explain="A day belongs to the account's owner, and is of its kind and currency.",
        sql="""
            SELECT d.account_id::text AS id, concat_ws(' ', d.day, d.user_id, d.account_type, d.currency) AS detail
            FROM account_days AS d JOIN account_copies AS a USING (account_id)
            WHERE (d.user_id, d.account_type, d.currency) <> (a.user_id, a.account_type, a.currency)
        """,
    ),
)
