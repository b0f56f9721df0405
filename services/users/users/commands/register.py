"""Somebody registers."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from shared.chassis import idempotency
from shared.chassis.context import Idempotency
from shared.chassis.database import Database
from shared.chassis.retry import run_again
from shared.contracts.errors import InternalError, ValidationFailed
from shared.contracts.referrals.rpc import ClaimAnswer, ReferralsRpc
from shared.contracts.users.rpc import RegisterAnswer
from shared.utils.ids import new_id
from users import queries, rules
from users.commands.claim_referral import claim_referral
from users.commands.make_user import check_fields, make_user, refuse_taken
from users.commands.reserved_id import reserved_id
from users.passwords import hash_password


@dataclass(frozen=True, slots=True, kw_only=True)
class _Person:
    username: str
    email: str
    password_hash: str


def register(
    db: Database,
    referrals: ReferralsRpc,
    *,
    username: str,
    email: str,
    password: str,
    referral_code: str | None,
    asked: Idempotency | None,
    now: datetime,
) -> RegisterAnswer:
    """Makes a user. Raises ValidationFailed, IdempotencyMismatch; with a code what `claim_referral` raises.

    With an idempotency key the same request gives the user that it made the first time. A code is claimed last of all
    before the user is written, so that what is refused takes no use of it; without its answer nobody is written.
    """
    replayed = _replay(db, asked)
    if replayed is not None:
        return replayed
    email, password = rules.normal_email(email), rules.normal_password(password)
    check_fields(username, email, password)
    try:
        if referral_code is not None:
            with db.read() as tx:
                refuse_taken(tx, username, email)
        person = _Person(username=username, email=email, password_hash=hash_password(password))
        if referral_code is None:
            return run_again(partial(_write, db, person, new_id(), None, asked, now))
        with reserved_id(db, asked, now=now) as user_id:
            claimed = claim_referral(db, referrals, user_id=user_id, code=referral_code)
            return run_again(partial(_write, db, person, user_id, claimed, asked, now))
    except ValidationFailed:
        # What is taken may be so by the same request, which came at the same moment and was faster.
        replayed = _replay(db, asked)
        if replayed is None:
            raise
        return replayed


def _write(
    db: Database,
    person: _Person,
    user_id: str,
    referral: ClaimAnswer | None,
    asked: Idempotency | None,
    now: datetime,
) -> RegisterAnswer:
    with db.transaction() as tx:
        if asked is None or idempotency.remember(tx, None, asked, user_id):
            user = make_user(
                tx,
                user_id=user_id,
                username=person.username,
                email=person.email,
                password_hash=person.password_hash,
                is_staff=False,
                now=now,
                referral=referral,
            )
            return RegisterAnswer(user=queries.view(user), replayed=False)
    replayed = _replay(db, asked)
    if replayed is None:
        raise InternalError("an idempotency key without its user")
    return replayed


def _replay(db: Database, asked: Idempotency | None) -> RegisterAnswer | None:
    if asked is None:
        return None
    with db.read() as tx:
        user_id = idempotency.find(tx, None, asked)
        user = queries.find_user(tx, user_id) if user_id is not None else None
    return None if user is None else RegisterAnswer(user=queries.view(user), replayed=True)
