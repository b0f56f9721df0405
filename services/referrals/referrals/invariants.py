"""What must always be true of the tables of referrals, as SQL that `verify` runs in one snapshot.

`INVARIANTS`: each query gives the id and some detail of what violates it. `CLAIMS` and `FACTS`: (key, value) pairs; a
claim must find the same pair among the facts of the same name in another service.
"""

from __future__ import annotations

from typing import Final

from shared.chassis.invariants import Invariant

INVARIANTS: Final = (
    Invariant(
        name="uses_are_the_claims_that_stand",
        explain="A code is used once for everybody who has claimed it or has registered with it.",
        sql="""
            SELECT c.id::text AS id, c.uses || ' uses, ' || count(r.id) || ' claims' AS detail
            FROM referral_codes AS c
            LEFT JOIN referrals AS r ON r.code_id = c.id AND r.state IN ('CLAIMED', 'CONFIRMED')
            GROUP BY c.id HAVING c.uses <> count(r.id)
        """,
    ),
    Invariant(
        name="owners_are_older",
        explain="Whoever refers has registered before those whom he refers.",
        sql="""
            SELECT id::text AS id, owner_id || ' refers ' || referred_user_id AS detail
            FROM referrals WHERE owner_id >= referred_user_id
        """,
    ),
    Invariant(
        name="referred_once",
        explain="A user is referred at most once.",
        sql="""
            SELECT referred_user_id::text AS id, count(*) || ' rows' AS detail
            FROM referrals GROUP BY referred_user_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        name="no_cycle",
        explain="Nobody is among those whom he has brought, near or far.",
        # Every cycle has a step from a younger to an older one: the walk begins there, so nearly always nowhere.
        sql="""
            WITH RECURSIVE above AS (
                SELECT referred_user_id AS start, owner_id FROM referrals WHERE owner_id >= referred_user_id
                UNION
                SELECT a.start, r.owner_id FROM above AS a JOIN referrals AS r ON r.referred_user_id = a.owner_id
            )
            SELECT start::text AS id, 'is above himself' AS detail FROM above WHERE owner_id = start
        """,
    ),
    Invariant(
        name="owner_of_the_code_refers",
        explain="A referral belongs to the owner of its code.",
        sql="""
            SELECT r.id::text AS id, 'code of ' || coalesce(c.owner_id::text, 'nobody') AS detail
            FROM referrals AS r LEFT JOIN referral_codes AS c ON c.id = r.code_id
            WHERE r.state <> 'EXPECTED' AND r.owner_id IS DISTINCT FROM c.owner_id
        """,
    ),
    Invariant(
        name="codes_have_the_form_of_their_kind",
        explain="Affiliate codes, and no others, have the form that users gives them.",
        sql="""
            SELECT id::text AS id, kind || ' ' || code AS detail FROM referral_codes
            WHERE (kind = 'affiliate') IS DISTINCT FROM (upper(code) ~ '^[A-Z0-9]{0,8}[0-9A-HJKMNP-TV-Z]{8}$')
        """,
    ),
    Invariant(
        name="nothing_waits_for_ever",
        explain="A claim is confirmed or given back, and who has earned somebody a commission registers.",
        sql="""
            SELECT id::text AS id, state || ' since ' || coalesce(claimed_at, created_at) AS detail FROM referrals
            WHERE state IN ('CLAIMED', 'EXPECTED') AND coalesce(claimed_at, created_at) < now() - interval '1 day'
        """,
    ),
    Invariant(
        name="idempotency_subject",
        explain="A key and the code that it stands for are written in one commit.",
        sql="""
            SELECT i.subject_id::text AS id, i.route AS detail
            FROM idempotency AS i LEFT JOIN referral_codes AS c ON c.id = i.subject_id WHERE c.id IS NULL
        """,
    ),
)

# owner:code of every user who is referred, by his id.
_CONFIRMED: Final = """
    SELECT referred_user_id::text AS key, owner_id || ':' || code_id AS value FROM referrals WHERE state = 'CONFIRMED'
"""

CLAIMS: Final[dict[str, str]] = {
    "referral_of_user": _CONFIRMED,
    "user_copy_referrals": "SELECT user_id::text AS key, version::text AS value FROM user_copies",
}
FACTS: Final[dict[str, str]] = {
    "confirmed_referral": _CONFIRMED,
    "code_copy_trades": "SELECT id::text AS key, version::text AS value FROM referral_codes",
}
