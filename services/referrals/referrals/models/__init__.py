"""Codes, referrals, and what may become of them."""

from referrals.models.tables import metadata

__all__ = ["metadata"]
