"""Refusals that commission owns."""

from __future__ import annotations

from shared.contracts.errors import ServiceError


class RuleNotFound(ServiceError):
    """The owner has no commission rule, or it is somebody else's."""

    status, code, title = 404, "rule_not_found", "No commission rule"
