"""The questions and commands that commission answers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Protocol, TypedDict

from marshmallow import validate

from shared.contracts.types import Id, Percent

KINDS = ("MARKUP", "REFERRAL")

Limit = Annotated[int, validate.Range(min=1, max=100)]
Cursor = Annotated[str, validate.Length(max=512)]


class RuleView(TypedDict):
    """An owner's rule as the public API shows it; percents as decimal strings."""

    id: str
    owner_id: str
    referral_percent: str
    markup_percent: str
    version: int
    created_at: str
    updated_at: str


class CommissionView(TypedDict):
    """An award (or, with a negative amount, its reversal) as the public API shows it.

    `owner_id` earns, `user_id` has paid; `reference` is the trade or the deposit that it is for.
    """

    id: str
    commission_rule_id: str | None
    owner_id: str
    user_id: str
    amount: str
    currency: str
    kind: str
    reference: str
    metadata: dict[str, Any]
    created_at: str


class CommissionPage(TypedDict):
    """A page of awards and reversals, newest first."""

    results: list[CommissionView]
    has_more: bool
    next: str | None


@dataclass(frozen=True, kw_only=True)
class GetRuleRequest:
    """The owner himself, or staff."""

    owner_id: Id


@dataclass(frozen=True, kw_only=True)
class SetRuleRequest:
    """Staff: both percents, from 0 on. A change is a new version and never touches the past."""

    owner_id: Id
    referral_percent: Percent
    markup_percent: Percent


@dataclass(frozen=True, kw_only=True)
class ListCommissionsRequest:
    """What the caller earned; for staff everybody's, unless `owner_id` says whose.

    `reference`: what was earned from one trade or deposit.
    """

    owner_id: Id | None = None
    user_id: Id | None = None
    kind: Annotated[str, validate.OneOf(KINDS)] | None = None
    reference: Id | None = None
    limit: Limit = 20
    after: Cursor | None = None


class CommissionRpc(Protocol):
    """Owner: commission."""

    def get_rule(self, *, owner_id: str) -> RuleView:
        """The present version. Raises RuleNotFound, also for somebody else's."""
        ...

    def set_rule(self, *, owner_id: str, referral_percent: str, markup_percent: str) -> RuleView:
        """The same percents again are the same version.

        Raises Forbidden, ValidationFailed (above the maximum), NotReady (an owner that has not been heard of).
        """
        ...

    def list_transactions(
        self,
        *,
        owner_id: str | None = None,
        user_id: str | None = None,
        kind: str | None = None,
        reference: str | None = None,
        limit: int = 20,
        after: str | None = None,
    ) -> CommissionPage:
        """Newest first. Raises Forbidden for somebody else's list."""
        ...
