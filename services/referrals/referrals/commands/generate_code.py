"""A further code is made, of somebody's own wording or at random."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from referrals import copies, events, queries, rules
from referrals.commands.check_terms import check_terms
from referrals.models import codes
from shared.chassis import idempotency, outbox, wire
from shared.chassis.context import Context
from shared.chassis.database import Database
from shared.contracts.errors import InternalError, NotReady, ValidationFailed
from shared.contracts.referrals.rpc import CodeAnswer, GenerateCodeRequest
from shared.utils.ids import new_id

_ATTEMPTS: Final = 5


def generate_code(db: Database, caller: Context, request: GenerateCodeRequest, *, now: datetime) -> CodeAnswer:
    """A code of the caller's, for staff anybody's; the same idempotency key gives the code that it made.

    Raises Unauthorized, Forbidden (rate or owner, but for staff), ValidationFailed (taken, reserved form, in the past,
    rate), NotReady (an owner not heard of yet), IdempotencyMismatch.
    """
    user_id = caller.require_user()
    if request.owner_id is not None or request.markup_percent is not None:
        caller.require_staff()
    asked, code_id = caller.idempotency, new_id()
    with db.transaction() as tx:
        if asked is not None and not idempotency.remember(tx, user_id, asked, code_id):
            present = queries.find_code(tx, idempotency.find(tx, user_id, asked))
            return CodeAnswer(code=queries.view(present), replayed=True)
        _make(tx, request, code_id, request.owner_id or user_id, now)
        (made,) = codes.announce(tx, [code_id])
        outbox.add_many(tx, [events.code_made(made)])
    return CodeAnswer(code=queries.view(made), replayed=False)


def _make(tx: Connection, request: GenerateCodeRequest, code_id: str, owner_id: str, now: datetime) -> None:
    terms = check_terms(expires_at=request.expires_at, markup_percent=request.markup_percent, now=now)
    if request.code is not None and rules.is_affiliate_code(request.code):
        raise ValidationFailed.of("code", "reserved", "Codes of this form are made at registration only.")
    # Who is logged in exists, whether or not his registration has been heard of here.
    if request.owner_id is not None and not copies.is_known(tx, owner_id):
        raise NotReady("This owner has not been heard of yet.")
    for _ in range(1 if request.code is not None else _ATTEMPTS):
        wanted = codes.NewCode(
            id=code_id,
            code=request.code or rules.made_code(request.prefix, _random()),
            kind="further",
            owner_id=owner_id,
            created_at=now,
            max_uses=request.max_uses,
            expires_at=terms.expires_at,
            markup_percent=terms.markup_percent,
            metadata=wire.dumps(request.metadata or {}).decode(),
        )
        if codes.add(tx, [wanted], now=now):
            return
    if request.code is None:
        raise InternalError("no free code was found")
    raise ValidationFailed.of("code", "taken", "Is taken.")


def _random() -> str:
    return "".join(secrets.choice(rules.ALPHABET) for _ in range(rules.RANDOM_LENGTH))
