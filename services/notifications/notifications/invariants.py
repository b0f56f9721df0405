"""What must always be true of our tables, as SQL that `verify` runs in one snapshot as `nexus_verify`.

`INVARIANTS`: each query gives the id and some detail of what violates it, so nothing when all is well. `CLAIMS` and
`FACTS`: (key, value) pairs; a claim must find the same pair among the facts of the same name in another service.
"""

from __future__ import annotations

from typing import Final

from shared.chassis.invariants import Invariant

INVARIANTS: Final = (
    Invariant(
        name="unread_exact",
        explain="The counter is how many of the recipient's are neither read nor deleted.",
        sql="""
            SELECT recipient_id::text AS id, 'counter ' || coalesce(c.unread::text, 'missing') || ', rows ' ||
                coalesce(n.unread, 0) AS detail
            FROM counters AS c
            FULL JOIN (
                SELECT recipient_id, count(*) FILTER (WHERE NOT is_read AND deleted_at IS NULL) AS unread
                FROM notifications GROUP BY recipient_id
            ) AS n USING (recipient_id)
            WHERE c.unread IS DISTINCT FROM coalesce(n.unread, 0)
        """,
    ),
    Invariant(
        name="numbers_consecutive",
        explain="A recipient's notifications are numbered from 1 to the counter's last number, each once.",
        sql="""
            SELECT recipient_id::text AS id, 'counter ' || coalesce(c.last_number::text, 'missing') || ', rows '
                || coalesce(n.rows, 0) || ', numbers ' || concat_ws('-', n.first, n.last) AS detail
            FROM counters AS c
            FULL JOIN (
                SELECT recipient_id, count(*) AS rows, count(DISTINCT number) AS numbers, min(number) AS first,
                    max(number) AS last
                FROM notifications GROUP BY recipient_id
            ) AS n USING (recipient_id)
            WHERE c.last_number IS DISTINCT FROM coalesce(n.rows, 0) OR n.rows <> n.numbers OR n.first <> 1
                OR n.last <> n.rows
        """,
    ),
    Invariant(
        name="told_once",
        explain="Nobody is told the same fact twice, not even after he has deleted it.",
        sql="""
            SELECT min(id::text) AS id, concat_ws(' ', kind, fact, count(*)) AS detail
            FROM notifications GROUP BY kind, fact, recipient_id HAVING count(*) > 1
        """,
    ),
    Invariant(
        name="deleted_is_empty",
        explain="A deleted notification says nothing any more, every other one has a title.",
        sql="""
            SELECT id::text AS id, 'deleted ' || coalesce(deleted_at::text, 'never') AS detail FROM notifications
            WHERE CASE WHEN deleted_at IS NULL THEN title = '' ELSE (title, body, data) <> ('', '', '{}') END
        """,
    ),
    Invariant(
        name="read_has_its_time",
        explain="What is read was read at some time, what is not was not.",
        sql="""
            SELECT id::text AS id, 'read ' || coalesce(read_at::text, 'never') AS detail
            FROM notifications WHERE is_read = (read_at IS NULL)
        """,
    ),
    Invariant(
        name="idempotency_subject",
        explain="A key and the notification that it stands for are written in one commit.",
        sql="""
            SELECT i.subject_id::text AS id, i.route AS detail
            FROM idempotency AS i LEFT JOIN notifications AS n ON n.id = i.subject_id WHERE n.id IS NULL
        """,
    ),
)


def _told_of(*kinds: str) -> str:
    # Deleted ones have been told as well.
    names = ", ".join(f"'{kind}'" for kind in kinds)
    return f"SELECT fact AS key, user_id::text AS value FROM notifications WHERE kind IN ({names})"


_TRADES: Final = _told_of("trade_settled")
_AWARDS: Final = _told_of("commission_accrued", "referral_commission_accrued")
_DEPOSITS: Final = _told_of("deposit_completed")

CLAIMS: Final[dict[str, str]] = {
    # The version of every user's copy: users has him in just that version.
    "user_copy_notifications": "SELECT user_id::text AS key, version::text AS value FROM user_copies",
    # Whom we told of a result, an award, a deposit: it is so, and it is his.
    "notified_trade": _TRADES,
    "notified_award": _AWARDS,
    "notified_deposit": _DEPOSITS,
}

FACTS: Final[dict[str, str]] = {
    "trade_notification": _TRADES,
    "award_notification": _AWARDS,
    "deposit_notification": _DEPOSITS,
}
