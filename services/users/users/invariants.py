"""What must always be true of the tables of users, as SQL that `verify` runs in one snapshot.

`CLAIMS` and `FACTS`: (key, value) pairs; a claim must find the same pair among the facts of the same name in another
service.
"""

from __future__ import annotations

from shared.chassis.invariants import Invariant

INVARIANTS = [
    Invariant(
        name="referrers_are_older",
        sql="SELECT u.id::text FROM users u JOIN users r ON r.id = u.referred_by WHERE r.created_at > u.created_at",
        explain="A user's referrer registered before him.",
    ),
    Invariant(
        name="affiliate_codes_have_their_form",
        sql="SELECT id::text FROM users WHERE affiliate_code !~ '^[A-Z0-9]{0,8}[0-9A-HJKMNP-TV-Z]{8}$'",
        explain="An affiliate code is what we made, never a vanity code.",
    ),
    Invariant(
        name="inactive_users_have_no_session",
        sql=(
            "SELECT s.id::text FROM sessions s JOIN users u ON u.id = s.user_id"
            " WHERE s.revoked_at IS NULL AND NOT u.is_active"
        ),
        explain="Deactivating a user ends his sessions.",
    ),
]

# owner:code of every user who is referred, by his id.
_REFERRED = """
    SELECT id::text AS key, referred_by || ':' || code_id AS value FROM users WHERE referred_by IS NOT NULL
"""
_VERSIONS = "SELECT id::text AS key, version::text AS value FROM users"

CLAIMS: dict[str, str] = {"confirmed_referral": _REFERRED}
FACTS: dict[str, str] = {
    "referral_of_user": _REFERRED,
    # What every service that keeps a copy of users must have, once all events have arrived.
    **{
        f"user_copy_{service}": _VERSIONS
        for service in ("referrals", "commission", "trades", "billing", "notifications", "audit")
    },
}
