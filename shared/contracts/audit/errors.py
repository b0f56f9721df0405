"""Refusals that audit owns."""

from __future__ import annotations

from shared.contracts.errors import ServiceError


class EntryNotFound(ServiceError):
    """No such audit entry."""

    status, code, title = 404, "entry_not_found", "No such audit entry"
