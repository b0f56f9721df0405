"""Users have registered: their affiliate codes are there, and whoever came by a code has been referred."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import cast

from referrals import copies, events
from referrals.models import claims, codes
from referrals.rules import affiliate_code_id
from shared.chassis import outbox
from shared.chassis.database import Database
from shared.contracts.envelope import Received
from shared.contracts.users.events import UserRegistered
from shared.utils.time import from_rfc3339


def confirm_referrals(db: Database, told: Sequence[Received[UserRegistered]], *, now: datetime) -> None:
    """Once per user, whatever became of his claim: users has written him, and that stands.

    A claim that was given back is taken again, one that was never heard of is written with the code of the event, so
    that a code may be used more often than it should. Present state sent again is written and told to nobody.
    """
    # What is sent again comes first, so that of two tellings the one to speak about stays.
    ordered = sorted(told, key=lambda event: not event.envelope.republished)
    new = {code.id: code for event in ordered for code in _codes_in(event)}
    causes = {code.id: event.envelope for event in told if not event.envelope.republished for code in _codes_in(event)}
    referred = {event.data.user_id: event for event in ordered if event.data.code_id is not None}
    with db.transaction() as tx:
        copies.keep_users(tx, told)
        codes.add(tx, list(new.values()), now=now)
        confirmed = claims.confirm(tx, [_registered(event) for event in referred.values()], now=now)
        made = [events.code_made(code, causes[code["id"]]) for code in codes.announce(tx, list(causes))]
        come = [events.referral_registered(id_, referred[user_id]) for user_id, id_ in confirmed.items()]
        outbox.add_many(tx, made + come)


def _codes_in(event: Received[UserRegistered]) -> Iterator[codes.NewCode]:
    """The user's own code, and the one that he came by: its claim may never have been heard of here."""
    user, at = event.data, from_rfc3339(event.envelope.occurred_at)
    yield codes.affiliate(user.affiliate_code, user.user_id, created_at=at)
    if user.referrer_id is not None and user.code_id is not None and user.referral_code is not None:
        is_affiliate = user.code_id == affiliate_code_id(user.referrer_id)
        yield codes.NewCode(
            id=user.code_id,
            code=user.referral_code,
            kind="affiliate" if is_affiliate else "further",
            owner_id=user.referrer_id,
            created_at=at,
        )


def _registered(event: Received[UserRegistered]) -> claims.Registered:
    user = event.data
    return claims.Registered(
        user_id=user.user_id,
        owner_id=cast("str", user.referrer_id),
        code_id=cast("str", user.code_id),
        announced=not event.envelope.republished,
        registered_at=from_rfc3339(event.envelope.occurred_at),
    )
