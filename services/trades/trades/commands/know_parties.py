"""Who trades on which account: from the copies, and what is not there yet is asked for or waited for."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from shared.chassis.database import Database
from shared.contracts.billing.errors import AccountNotFound
from shared.contracts.billing.rpc import BillingRpc
from shared.contracts.errors import NotReady
from shared.utils.time import monotonic
from trades import copies
from trades.copies import Parties
from trades.models.copied import Account, Code, Rule, User

_PATIENCE: Final = 1.0
"""Seconds that a user's copies are waited for: his registration is on its way when he can log in."""
_PAUSE: Final = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """Copies that are all there; `affiliate` and `code` are None only for a trader without one.

    `rule` is None while the affiliate has none here: nobody can tell one that is on its way from none at all.
    """

    user: User
    account: Account
    affiliate: User | None
    code: Code | None
    rule: Rule | None


def know_parties(
    *, user_id: str, account_id: str, db: Database, billing: BillingRpc, first: Parties | None = None
) -> Known:
    """The caller and his account; `first`: what a first look has found.

    Raises AccountNotFound, also for somebody else's account, NotReady, and what asking billing raises.
    """
    until = monotonic() + _PATIENCE
    while True:
        found, first = first or _look(user_id, account_id, db), None
        if found.account is None:
            terms = billing.account_terms(account_id=account_id)
            with db.transaction() as tx:
                copies.put_answer(tx, terms)
            continue
        if found.account.user_id != user_id:
            raise AccountNotFound()
        if found.user is not None and _is_whole(found.user, found):
            return Known(
                user=found.user,
                account=found.account,
                affiliate=found.affiliate,
                code=found.code,
                rule=found.rule,
            )
        if monotonic() >= until:
            raise NotReady("your registration has not arrived here yet")
        time.sleep(_PAUSE)


def _look(user_id: str, account_id: str, db: Database) -> Parties:
    with db.read() as tx:
        return copies.parties(tx, user_id=user_id, account_id=account_id)


def _is_whole(user: User, found: Parties) -> bool:
    # A referrer without a code: an update has overtaken the registration, which alone tells the code.
    if user.referrer_id is None and user.code_id is None:
        return True
    return found.affiliate is not None and found.code is not None
