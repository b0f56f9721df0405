"""Send events of the past to one service again, from audit's archive: how effects that a restore has lost come back.

Each is sent as it was told, with its own id: what was done already is not done twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import psycopg2
from psycopg2.extras import RealDictCursor

from cli import common
from cli.documents.sources import events
from shared.contracts.envelope import Envelope
from shared.devstack.environment import Environment, find_servers
from shared.devstack.registry import SERVICES
from shared.utils.time import from_rfc3339

REFUSED = {
    "commission": "what it has lost it would decide anew, with awards of other ids, and they would be paid again",
}
"""Whose effects are told on under ids that a second decision would not make again."""
_PAGE = 500
# Ids are made in order of time: a page goes on behind the last one. Personal data stands apart, and may be erased.
_SELECT = """
    SELECT CAST(a.event_id AS text) AS event_id, a.envelope, p.personal
    FROM archive AS a
    JOIN entries AS e ON e.event_id = a.event_id
    LEFT JOIN personal_data AS p ON p.entry_id = e.id
    WHERE (a.source, a.type) IN %(types)s
        AND (%(since)s IS NULL OR a.occurred_at >= CAST(%(since)s AS timestamptz))
        AND (%(subject)s IS NULL OR a.subject = %(subject)s)
        AND (%(after)s IS NULL OR a.event_id > CAST(%(after)s AS uuid))
    ORDER BY a.event_id LIMIT %(page)s
"""


def main(argv: list[str]) -> int:
    """For example: replay trade_settled --to billing --since 2026-01-01T00:00:00Z."""
    options = common.parser("replay", __doc__)
    options.add_argument("types", nargs="*", metavar="EVENT", help="default: all that the service hears")
    options.add_argument("--to", required=True, choices=list(SERVICES), metavar="SERVICE", help="who is to hear it")
    options.add_argument("--since", type=from_rfc3339, help="only what happened then or later, as 2026-01-01T00:00:00Z")
    options.add_argument("--subject", help="only what happened to the thing of this id")
    chosen = options.parse_args(argv)
    if reason := REFUSED.get(chosen.to):
        return common.fail(f"not to {chosen.to}: {reason}", "docs/runbooks/restore-a-database.md")
    credentials = chosen.state.credentials()
    if credentials is None:
        return common.fail(f"{chosen.state.folder} holds no stack", "./nexus up --detach")
    heard = {event.type: event.owner for event in events() if chosen.to in event.readers}
    if unknown := set(chosen.types) - set(heard):
        return common.fail(f"{chosen.to} does not hear {', '.join(sorted(unknown))}", "docs/reference/events.md")
    from shared.chassis.republish import send

    servers = find_servers(chosen.state, credentials)
    url = Environment(chosen.state, credentials, servers).verify()["audit"]
    types = tuple((heard[type_], type_) for type_ in chosen.types or heard)
    sent = send(_told(url, types, chosen.since, chosen.subject), to=chosen.to, amqp_url=servers.amqp_url)
    print(f"nexus: {sent} events sent to {chosen.to}")
    return 0


def _told(
    url: str, types: tuple[tuple[str, str], ...], since: datetime | None, subject: str | None
) -> Iterator[Envelope]:
    values: dict[str, Any] = {"types": types, "since": since, "subject": subject, "after": None, "page": _PAGE}
    connection = psycopg2.connect(url, cursor_factory=RealDictCursor)
    try:
        connection.set_session(readonly=True, autocommit=True)
        with connection.cursor() as cursor:
            while True:
                cursor.execute(_SELECT, values)
                rows = cursor.fetchall()
                for row in rows:
                    yield Envelope.from_json({**json.loads(row["envelope"]), "personal": row["personal"] or {}})
                if len(rows) < _PAGE:
                    return
                values["after"] = rows[-1]["event_id"]
    finally:
        connection.close()
