"""What must always be true of our tables, as SQL that `verify` runs in one snapshot as `nexus_verify`.

`INVARIANTS`: each query returns (id, detail) of what violates it, so nothing when all is well. `CLAIMS` and `FACTS`:
(key, value) pairs; a claim must find the same pair among the facts of the same name in another service.
"""

from __future__ import annotations

from typing import Final

from shared.chassis.invariants import Invariant

_EQUATIONS: Final[dict[str, str]] = {
    "an awarded decision has its award, and every award its decision": """
        SELECT coalesce(d.subject_id, a.reference)::text AS id, CASE
            WHEN a.id IS NULL THEN 'no award'
            WHEN d.subject_id IS NULL THEN 'award ' || a.id || ' without decision'
            ELSE 'award ' || a.id || ' differs' END AS detail
        FROM (SELECT * FROM decisions WHERE outcome = 'awarded') AS d
        FULL JOIN (SELECT * FROM awards WHERE sign = 1) AS a ON a.id = d.award_id
        WHERE (a.reference, a.owner_id, a.user_id, a.currency, a.amount, a.kind) IS DISTINCT FROM (
            d.subject_id, d.owner_id, d.user_id, d.currency, d.due,
            CASE d.subject_kind WHEN 'trade' THEN 'MARKUP' WHEN 'deposit' THEN 'REFERRAL' END
        )
    """,
    "where none is due there is no award": """
        SELECT d.subject_id::text AS id, d.reason || ', yet award ' || a.id AS detail
        FROM decisions AS d JOIN awards AS a ON a.reference = d.subject_id
        WHERE d.outcome = 'none_due'
    """,
    "what is earned from a trade never exceeds its markup": """
        SELECT d.subject_id::text AS id, 'markup ' || d.amount || ', awards ' || sum(a.amount) AS detail
        FROM decisions AS d JOIN awards AS a ON a.reference = d.subject_id AND a.sign = 1
        WHERE d.subject_kind = 'trade' GROUP BY d.subject_kind, d.subject_id HAVING sum(a.amount) > d.amount
    """,
    "of a voided trade nothing is left": """
        SELECT reference::text AS id, 'awards sum up to ' || sum(amount) AS detail
        FROM awards WHERE kind = 'MARKUP'
        GROUP BY reference HAVING bool_or(sign = -1) AND sum(amount) <> 0
    """,
    "a reversal mirrors its original": """
        SELECT r.id::text AS id, 'of ' || coalesce(r.reverses::text, 'nothing') AS detail
        FROM awards AS r LEFT JOIN awards AS a ON a.id = r.reverses AND a.sign = 1
        WHERE r.sign = -1 AND (
            r.reference, r.owner_id, r.user_id, r.currency, r.amount, r.kind, r.level, r.commission_rule_id,
            r.rule_version
        ) IS DISTINCT FROM (
            a.reference, a.owner_id, a.user_id, a.currency, -a.amount, a.kind, a.level, a.commission_rule_id,
            a.rule_version
        )
    """,
    "nobody earns from himself": """
        SELECT id::text AS id, 'owner and payer ' || owner_id AS detail FROM awards WHERE owner_id = user_id
    """,
    "a referral award is the share that its rule's version gives": """
        SELECT a.id::text AS id,
            concat_ws(' ', a.amount, 'of', d.amount, 'at', v.referral_percent, 'from', v.valid_from) AS detail
        FROM awards AS a
        JOIN decisions AS d ON d.award_id = a.id
        LEFT JOIN rules AS r ON r.id = a.commission_rule_id AND r.owner_id = a.owner_id
        LEFT JOIN rule_versions AS v ON v.rule_id = r.id AND v.version = a.rule_version
        WHERE a.kind = 'REFERRAL' AND a.sign = 1
            AND (a.amount IS DISTINCT FROM round(d.amount * v.referral_percent / 100) OR v.valid_from > d.occurred_at)
    """,
    "a rule is its newest version": """
        SELECT r.id::text AS id, 'version ' || r.version || ', noted ' || coalesce(v.version::text, 'none') AS detail
        FROM rules AS r
        LEFT JOIN LATERAL (
            SELECT * FROM rule_versions AS v WHERE v.rule_id = r.id ORDER BY v.version DESC LIMIT 1
        ) AS v ON true
        WHERE (r.version, r.referral_percent, r.markup_percent, r.updated_at)
            IS DISTINCT FROM (v.version, v.referral_percent, v.markup_percent, v.valid_from)
    """,
    "versions have no gap and follow one another in time": """
        SELECT rule_id::text AS id, 'version ' || version || ' from ' || valid_from AS detail
        FROM (
            SELECT rule_id, version, valid_from, row_number() OVER chain AS expected,
                lag(valid_from) OVER chain AS before
            FROM rule_versions WINDOW chain AS (PARTITION BY rule_id ORDER BY version)
        ) AS v
        WHERE version <> expected OR valid_from <= before
    """,
}

INVARIANTS: Final = tuple(
    Invariant(name=sentence, sql=sql, explain=f"{sentence.capitalize()}.") for sentence, sql in _EQUATIONS.items()
)

_AWARDS: Final = """
    SELECT id::text AS key, concat_ws(':', owner_id, currency, amount) AS value FROM awards WHERE sign = 1
"""
_EARNERS: Final = "SELECT id::text AS key, owner_id::text AS value FROM awards WHERE sign = 1"
_REVERSED: Final = "SELECT reverses::text AS key, (-amount)::text AS value FROM awards WHERE sign = -1"
_TRADES: Final = "SELECT subject_id::text AS key, 'settled' AS value FROM decisions WHERE subject_kind = 'trade'"
_EARNED: Final = """
    SELECT reference::text AS key, sum(amount)::text AS value
    FROM awards WHERE kind = 'MARKUP' GROUP BY reference HAVING sum(amount) <> 0
"""

CLAIMS: Final[dict[str, str]] = {
    # owner:currency:amount of every award: billing has credited it just so.
    "award_credited": _AWARDS,
    # Who has earned it: notifications has told him, once.
    "award_notification": _EARNERS,
    # Every award: audit has one entry of it.
    "audited_award": "SELECT id::text AS key, '1' AS value FROM awards WHERE sign = 1",
    # The amount of every award that was reversed: billing has taken it back.
    "award_taken_back": _REVERSED,
    # user:currency:amount of every deposit that was decided: to billing it is a first one.
    "first_deposit": """
        SELECT subject_id::text AS key, concat_ws(':', user_id, currency, amount) AS value
        FROM decisions WHERE subject_kind = 'deposit'
    """,
    # Every trade that was decided: it did settle.
    "decided_trade": _TRADES,
    # What a trade has earned its affiliate: trades has noted as much.
    "applied_award": _EARNED,
    # The version of every copy: users has the same.
    "user_copy_commission": "SELECT user_id::text AS key, version::text AS value FROM user_copies",
}

FACTS: Final[dict[str, str]] = {
    "paid_award": _AWARDS,
    "notified_award": _EARNERS,
    "reversed_award": _REVERSED,
    "deposit_decision": """
        SELECT subject_id::text AS key, user_id::text AS value FROM decisions WHERE subject_kind = 'deposit'
    """,
    "trade_decision": _TRADES,
    "award_of_trade": _EARNED,
    "rule_copy_trades": "SELECT owner_id::text AS key, version::text AS value FROM rules",
}
