"""Halting trading, on a symbol or altogether: nothing is opened, what is open settles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypedDict

from marshmallow import validate

from shared.contracts.trades.requests import Symbol

Reason = Annotated[str, validate.Length(min=1, max=200)]


class HaltView(TypedDict):
    """Trading is halted; `symbol` null: altogether."""

    id: str
    symbol: str | None
    reason: str
    since: str


class HaltAnswer(TypedDict):
    """`created` is false when it was halted already."""

    halt: HaltView
    created: bool


class ResumeAnswer(TypedDict):
    """`resumed` is false when it was not halted."""

    resumed: bool


class HaltPage(TypedDict):
    """All that is halted; there is never a second page."""

    results: list[HaltView]
    has_more: bool
    next: str | None


@dataclass(frozen=True, kw_only=True)
class HaltRequest:
    """Staff; without `symbol` altogether. `reason` is for everybody to read."""

    reason: Reason
    symbol: Symbol | None = None


@dataclass(frozen=True, kw_only=True)
class ResumeRequest:
    """Staff; without `symbol` the halt of everything ends, and those of single symbols stay."""

    symbol: Symbol | None = None
