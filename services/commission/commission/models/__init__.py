"""The tables of commission, and what is in their rows."""

from __future__ import annotations

from commission.models.award import Award
from commission.models.decision import Decision
from commission.models.rule import Rule
from commission.models.tables import metadata

__all__ = ["Award", "Decision", "Rule", "metadata"]
