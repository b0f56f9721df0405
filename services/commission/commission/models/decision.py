"""What is decided about a settled trade or a first deposit; decision and award are written in one statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError

from shared.contracts.errors import Conflict
from shared.contracts.money import to_text

LEVEL: Final = 1
"""The one beneficiary: the trader's affiliate, the depositor's referrer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A row of `decisions`, and with `due` above zero the award that it gives to `owner_id`.

    `amount` is the event's, in minor units: the trade's markup or the deposit. `percent` and `source` say which rate
    made it; `reason` why nothing is due.
    """

    subject_kind: Literal["trade", "deposit"]
    subject_id: str
    user_id: str
    owner_id: str | None
    currency: str
    amount: int
    due: int
    reason: str | None
    award_id: str
    rule_id: str | None
    rule_version: int | None
    percent: str | None
    source: str
    occurred_at: str

    @property
    def explanation(self) -> dict[str, Any]:
        """What the award's metadata tells its owner; people read it, so that amounts are decimal strings."""
        amount_of = "markup" if self.subject_kind == "trade" else "deposit_amount"
        return {
            f"{self.subject_kind}_id": self.subject_id,
            "percent": self.percent,
            "source": self.source,
            amount_of: to_text(self.amount, self.currency),
        }

    @property
    def facts(self) -> tuple[Any, ...]:
        """What every event about the subject must say alike."""
        return (self.user_id, self.owner_id, self.currency, self.amount)

    def values(self) -> dict[str, Any]:
        """By column, for both tables."""
        awarded = self.due > 0
        return {
            "subject_kind": self.subject_kind,
            "subject_id": self.subject_id,
            "user_id": self.user_id,
            "owner_id": self.owner_id,
            "currency": self.currency,
            "amount": self.amount,
            "due": self.due,
            "outcome": "awarded" if awarded else "none_due",
            "reason": self.reason,
            "award_id": self.award_id if awarded else None,
            "occurred_at": self.occurred_at,
            "kind": "MARKUP" if self.subject_kind == "trade" else "REFERRAL",
            "rule_id": self.rule_id,
            "rule_version": self.rule_version,
            "metadata": self.explanation if awarded else None,
        }


# In the order of their keys: two processes with the same events must wait for each other, not deadlock.
_WRITE = text(
    "WITH told AS (SELECT * FROM jsonb_to_recordset(CAST(:told AS jsonb)) AS t (subject_kind text, subject_id uuid,"
    " user_id uuid, owner_id uuid, currency text, amount bigint, due bigint, outcome text, reason text, award_id uuid,"
    " occurred_at timestamptz, kind text, rule_id uuid, rule_version integer, metadata jsonb)),"
    " fresh AS (INSERT INTO decisions (subject_kind, subject_id, user_id, owner_id, currency, amount, due, outcome,"
    " reason, award_id, occurred_at, decided_at)"
    " SELECT subject_kind, subject_id, user_id, owner_id, currency, amount, due, outcome, reason, award_id,"
    " occurred_at, :now FROM told ORDER BY subject_kind, subject_id"
    " ON CONFLICT (subject_kind, subject_id) DO NOTHING RETURNING award_id),"
    " given AS (INSERT INTO awards (id, commission_rule_id, rule_version, owner_id, user_id, amount, currency, kind,"
    " level, sign, reference, metadata, created_at)"
    f" SELECT award_id, rule_id, rule_version, owner_id, user_id, due, currency, kind, {LEVEL}, 1, subject_id,"
    " metadata, :now FROM told JOIN fresh USING (award_id))"
    " SELECT CAST(award_id AS text) AS award_id FROM fresh"
)
_FACTS = text(
    "SELECT CAST(subject_id AS text) AS subject_id, CAST(user_id AS text), CAST(owner_id AS text), currency, amount"
    " FROM decisions WHERE subject_kind = :kind AND subject_id = ANY(CAST(:ids AS uuid[]))"
)


def write(tx: Connection, decisions: Sequence[Decision], *, now: datetime) -> list[Decision]:
    """Writes those that are new, with their awards, and returns the new ones that gave an award, in their order.

    All are about one kind of subject. Raises Conflict for a subject that was decided from other facts, and for a
    second first deposit of a user.
    """
    if not decisions:
        return []
    told = json.dumps([decision.values() for decision in decisions])
    try:
        fresh = tx.execute(_WRITE, {"told": told, "now": now}).scalars().all()
    except IntegrityError as error:
        if _constraint(error) == "decisions_one_first_deposit":
            raise Conflict("A user has one first deposit.") from error
        raise
    if len(fresh) < len(decisions):
        _check_facts(tx, decisions)
    given = set(fresh)
    return [decision for decision in decisions if decision.award_id in given]


def _check_facts(tx: Connection, decisions: Sequence[Decision]) -> None:
    asked = {"kind": decisions[0].subject_kind, "ids": [decision.subject_id for decision in decisions]}
    known = {row.subject_id: tuple(row)[1:] for row in tx.execute(_FACTS, asked)}
    for decision in decisions:
        if known[decision.subject_id] != decision.facts:
            raise Conflict(f"{decision.subject_kind} {decision.subject_id} was decided from other facts.")


def _constraint(error: IntegrityError) -> str | None:
    diagnostics = getattr(error.orig, "diag", None)
    return getattr(diagnostics, "constraint_name", None)
