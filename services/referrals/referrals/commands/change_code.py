"""The terms of a code change."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping

from referrals import events, queries
from referrals.commands.check_terms import check_terms
from referrals.models import codes
from shared.chassis import outbox
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.referrals.errors import CodeNotFound
from shared.contracts.referrals.rpc import ChangeCodeRequest, CodeView
from shared.contracts.schema import UNSET


def change_code(db: Database, caller: Context, request: ChangeCodeRequest, *, now: datetime) -> CodeView:
    """For its owner and staff; what is left out stays. Only new terms make a new version, and only that is told.

    Raises Unauthorized, Forbidden (a rate, but for staff), CodeNotFound, ValidationFailed (in the past, rate).
    """
    user_id = caller.require_user()
    if request.markup_percent is not UNSET:
        caller.require_staff()
    with db.transaction() as tx:
        present = codes.lock(tx, request.code_id)
        if present is None or not (caller.is_staff or present["owner_id"] == user_id):
            raise CodeNotFound()
        new = _new(request, present, now)
        terms = [name for name in codes.TERMS if name in new]
        if new:
            before = events.terms_of(present)
            version = present["version"] + bool(terms)
            present = codes.change(tx, present, new, version=version, now=now)
            if terms:
                outbox.add_many(tx, [events.code_changed(present, {name: before[name] for name in terms})])
    return queries.view(present)


def _new(request: ChangeCodeRequest, present: RowMapping, now: datetime) -> dict[str, Any]:
    """What is asked for and is not so already."""
    asked = {name: value for name, value in vars(request).items() if name != "code_id" and value is not UNSET}
    terms = check_terms(
        expires_at=asked.get("expires_at"),
        markup_percent=asked.get("markup_percent"),
        now=now,
        present_expiry=present["expires_at"],
    )
    asked |= {name: value for name, value in asdict(terms).items() if name in asked}
    return {name: value for name, value in asked.items() if value != present[name]}
