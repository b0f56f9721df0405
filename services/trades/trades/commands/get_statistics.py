"""What became of a user's trades, from the days that the database counts them by."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping, text

from shared.chassis.context import current
from shared.chassis.database import Database
from shared.contracts.errors import ValidationFailed
from shared.contracts.money import percent_text, to_text
from shared.contracts.trades.statistics import GetStatisticsRequest, StatisticsLine, StatisticsView
from trades.rules import win_rate

_FILTERS = {
    "account_id": "account_id = CAST(:account_id AS uuid)",
    "since": "day >= CAST(:since AS date)",
    "until": "day <= CAST(:until AS date)",
}
_SUMMED = ("settled", "won", "lost", "settled_stake", "settled_markup", "payout", "profit")
_SUMS = ", ".join(f"CAST(sum({name}) AS bigint) AS {name}" for name in _SUMMED)


def get_statistics(request: GetStatisticsRequest, *, db: Database) -> StatisticsView:
    """The caller's, or for staff a user's; a line for each kind of account and currency that has results.

    Raises ValidationFailed for somebody else's.
    """
    asked = current()
    own = asked.require_user()
    if request.user_id not in (None, own) and not asked.is_staff:
        raise ValidationFailed.of("user_id", "not_allowed", "Only staff may ask for somebody else's statistics.")
    values: dict[str, Any] = {name: getattr(request, name) for name in _FILTERS}
    values["user_id"] = request.user_id or own
    wanted = ["user_id = CAST(:user_id AS uuid)"]
    wanted += [condition for name, condition in _FILTERS.items() if values[name] is not None]
    statement = (
        f"SELECT account_type, currency, {_SUMS}, max(biggest_win) AS biggest_win, min(biggest_loss) AS biggest_loss"
        f" FROM account_days WHERE {' AND '.join(wanted)}"
        " GROUP BY account_type, currency HAVING sum(settled) > 0 ORDER BY account_type, currency"
    )
    with db.read() as tx:
        lines = [_line(row) for row in tx.execute(text(statement), values).mappings()]
    return StatisticsView(user_id=values["user_id"], since=request.since, until=request.until, results=lines)


def _line(row: RowMapping) -> StatisticsLine:
    currency = row["currency"]
    return StatisticsLine(
        account_type=row["account_type"],
        currency=currency,
        trades=row["settled"],
        won=row["won"],
        lost=row["lost"],
        win_rate=percent_text(win_rate(won=row["won"], trades=row["settled"])),
        staked=to_text(row["settled_stake"], currency),
        markup=to_text(row["settled_markup"], currency),
        payout=to_text(row["payout"], currency),
        profit=to_text(row["profit"], currency),
        biggest_win=to_text(row["biggest_win"], currency),
        biggest_loss=to_text(row["biggest_loss"], currency),
    )
