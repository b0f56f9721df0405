"""Where commissions go: a step of crediting them, of taking them back, and of paying out what was kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text

from billing import events, queries, rules
from shared.chassis import outbox
from shared.contracts.envelope import Envelope
from shared.contracts.errors import NotReady
from shared.utils.ids import new_id

_FIND: Final = text(
    "SELECT CAST(user_id AS text) AS user_id, currency, CAST(account_id AS text) AS account_id, is_frozen, opened"
    " FROM commission_accounts(CAST(:users AS uuid[]), CAST(:currencies AS text[]), CAST(:ids AS uuid[]), :now)"
)

Owner = tuple[str, str]
"""User and currency."""


@dataclass(frozen=True, slots=True)
class Payee:
    """A user's account for commissions of a currency; a frozen user may have none, and is not paid."""

    account_id: str | None
    is_frozen: bool

    @property
    def account(self) -> rules.Account:
        """Raises NotReady where there is none."""
        if self.account_id is None:
            raise NotReady("A frozen user's account has not been opened yet.")
        return rules.Account(self.account_id)


def find_payees(tx: Connection, owners: Iterable[tuple[Owner, Envelope]], *, now: datetime) -> Mapping[Owner, Payee]:
    """The REAL account of each owner, opened and told (as caused by the first that needs it) where he has none."""
    causes: dict[Owner, Envelope] = {}
    for owner, cause in owners:
        causes.setdefault(owner, cause)
    values = {
        "users": [user_id for user_id, _ in causes],
        "currencies": [currency for _, currency in causes],
        "ids": [new_id() for _ in causes],
        "now": now,
    }
    found: dict[Owner, Payee] = {}
    news = []
    for row in tx.execute(_FIND, values).all():
        owner = (row.user_id, row.currency)
        found[owner] = Payee(row.account_id, row.is_frozen)
        if row.opened:
            account = queries.find_account(tx, row.account_id)
            news.append(events.make_account_opened(account, now, cause=causes[owner]))
    outbox.add_many(tx, news)
    return found
