"""Tell people of what has happened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from notifications import rules
from notifications.models import states
from shared.chassis.database import Database
from shared.contracts.envelope import EventData, Received
from shared.contracts.money import to_text
from shared.utils.ids import new_id

_AMOUNTS: Final = ("amount", "stake", "markup", "payout")


def notify(db: Database, heard: Sequence[Received[EventData]], *, now: datetime) -> None:
    """One notification a fact, for ever, as `rules.RULES` says. Of what is republished nobody is told."""
    news = []
    for event in heard:
        notice = None if event.envelope.republished else rules.notice_of(event.data.type, _plain(event))
        if notice is not None:
            news.append(states.New(new_id(), notice, event.id))
    if news:
        with db.transaction() as tx:
            states.deliver(tx, news, now=now)


def _plain(event: Received[EventData]) -> Mapping[str, Any]:
    values = {**vars(event.data), "subject_version": event.subject_version}
    return values | {name: to_text(values[name], values["currency"]) for name in _AMOUNTS if name in values}
