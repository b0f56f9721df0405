"""What must always be true of the tables of users."""

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
CLAIMS: dict[str, str] = {}
FACTS: dict[str, str] = {}
