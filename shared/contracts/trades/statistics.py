"""What became of a user's trades. Money as decimal strings; a day is one of UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, TypedDict

from marshmallow import ValidationError

from shared.contracts.types import Id


def _is_day(text: str) -> None:
    try:
        if date.fromisoformat(text).isoformat() == text:
            return
    except ValueError:
        pass
    raise ValidationError("Not a day such as 2026-01-31.")


Day = Annotated[str, _is_day]


class StatisticsLine(TypedDict):
    """Settled trades of one kind of account in one currency; `won` and `lost` are those with a profit or a loss.

    `win_rate` is the percentage of `won` among `trades`; `biggest_loss` is negative.
    """

    account_type: str
    currency: str
    trades: int
    won: int
    lost: int
    win_rate: str | None
    staked: str
    markup: str
    payout: str
    profit: str
    biggest_win: str
    biggest_loss: str


class StatisticsView(TypedDict):
    """A user's results by the day on which they came."""

    user_id: str
    since: str | None
    until: str | None
    results: list[StatisticsLine]


@dataclass(frozen=True, kw_only=True)
class GetStatisticsRequest:
    """The caller's results, or a user's for staff, of the days from `since` to `until`, both included."""

    user_id: Id | None = None
    account_id: Id | None = None
    since: Day | None = None
    until: Day | None = None
