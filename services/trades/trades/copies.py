"""What users and billing have told us. The newest version wins, whatever the order of arrival; rows never go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, text

from shared.contracts.billing.events import AccountOpened, AccountUpdated
from shared.contracts.billing.rpc import AccountTerms
from shared.contracts.envelope import Received
from shared.contracts.users.events import UserRegistered, UserUpdated


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A user as far as trades needs him. `code_id`: the code he registered with, told only at registration."""

    user_id: str
    is_active: bool
    is_frozen: bool
    referrer_id: str | None
    code_id: str | None
    markup_percentage: Decimal | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account's terms."""

    account_id: str
    user_id: str
    account_type: str
    currency: str
    markup_percentage: Decimal | None
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """Who trades on which account, and the trader's affiliate; None where no copy has arrived or there is none."""

    user: User | None
    account: Account | None
    affiliate: User | None


_C = TypeVar("_C", User, Account)
_USER: Final = tuple(item.name for item in fields(User))
_ACCOUNT: Final = tuple(item.name for item in fields(Account))


def _columns(alias: str, names: Sequence[str]) -> str:
    # Ids are text here: the driver would make objects of them.
    return ", ".join(
        f"CAST({alias}.{name} AS text) AS {alias}_{name}"
        if name.endswith("_id")
        else f"{alias}.{name} AS {alias}_{name}"
        for name in names
    )


_PARTIES = text(
    f"SELECT {_columns('u', _USER)}, {_columns('a', _ACCOUNT)}, {_columns('r', _USER)}"
    " FROM (SELECT CAST(:user_id AS uuid) AS user_id, CAST(:account_id AS uuid) AS account_id) asked"
    " LEFT JOIN user_copies u ON u.user_id = asked.user_id"
    " LEFT JOIN account_copies a ON a.account_id = asked.account_id"
    " LEFT JOIN user_copies r ON r.user_id = u.referrer_id"
)
_PUT_USERS = text(
    "INSERT INTO user_copies AS mine"
    " (user_id, is_active, is_frozen, referrer_id, code_id, markup_percentage, version)"
    " SELECT * FROM unnest(CAST(:user_id AS uuid[]), CAST(:is_active AS boolean[]), CAST(:is_frozen AS boolean[]),"
    " CAST(:referrer_id AS uuid[]), CAST(:code_id AS uuid[]), CAST(:markup_percentage AS numeric[]),"
    " CAST(:version AS bigint[])) AS new (user_id) ORDER BY user_id"
    " ON CONFLICT (user_id) DO UPDATE SET"
    " is_active = CASE WHEN excluded.version > mine.version THEN excluded.is_active ELSE mine.is_active END,"
    " is_frozen = CASE WHEN excluded.version > mine.version THEN excluded.is_frozen ELSE mine.is_frozen END,"
    " markup_percentage = CASE WHEN excluded.version > mine.version THEN excluded.markup_percentage"
    " ELSE mine.markup_percentage END,"
    " referrer_id = COALESCE(mine.referrer_id, excluded.referrer_id),"
    " code_id = COALESCE(mine.code_id, excluded.code_id),"
    " version = GREATEST(mine.version, excluded.version)"
    " WHERE excluded.version > mine.version OR excluded.code_id IS NOT NULL AND mine.code_id IS NULL"
)
_PUT_ACCOUNTS = text(
    "INSERT INTO account_copies AS mine (account_id, user_id, account_type, currency, markup_percentage, version)"
    " SELECT * FROM unnest(CAST(:account_id AS uuid[]), CAST(:user_id AS uuid[]), CAST(:account_type AS text[]),"
    " CAST(:currency AS text[]), CAST(:markup_percentage AS numeric[]), CAST(:version AS bigint[]))"
    " AS new (account_id) ORDER BY account_id"
    " ON CONFLICT (account_id) DO UPDATE SET user_id = excluded.user_id, account_type = excluded.account_type,"
    " currency = excluded.currency, markup_percentage = excluded.markup_percentage, version = excluded.version"
    " WHERE excluded.version > mine.version"
)


def parties(tx: Connection, *, user_id: str, account_id: str) -> Parties:
    """The copies that a trade needs, in one question."""
    row = tx.execute(_PARTIES, {"user_id": user_id, "account_id": account_id}).mappings().one()
    return Parties(
        user=_of(User, "u", _USER, row), account=_of(Account, "a", _ACCOUNT, row), affiliate=_of(User, "r", _USER, row)
    )


def _of(cls: type[_C], alias: str, names: Sequence[str], row: Any) -> _C | None:
    if row[f"{alias}_version"] is None:
        return None
    return cls(**{name: row[f"{alias}_{name}"] for name in names})


def put_users(tx: Connection, events: Sequence[Received[UserRegistered | UserUpdated]]) -> None:
    """Keeps the newest state of each user."""
    users = [
        User(
            user_id=event.data.user_id,
            is_active=event.data.is_active,
            is_frozen=event.data.is_frozen,
            referrer_id=event.data.referrer_id,
            code_id=event.data.code_id if isinstance(event.data, UserRegistered) else None,
            markup_percentage=_percent(event.data.markup_percentage),
            version=event.subject_version,
        )
        for event in events
    ]
    # One statement may touch a row once: a user's events go in one after the other.
    for some in _one_per_key([(user.user_id, user) for user in users]):
        tx.execute(_PUT_USERS, _arrays(_USER, some))


def put_accounts(tx: Connection, events: Sequence[Received[AccountOpened | AccountUpdated]]) -> None:
    """Keeps the newest terms of each account."""
    accounts = [
        Account(
            account_id=event.data.account_id,
            user_id=event.data.user_id,
            account_type=event.data.account_type,
            currency=event.data.currency,
            markup_percentage=_percent(event.data.markup_percentage),
            version=event.subject_version,
        )
        for event in events
    ]
    for some in _one_per_key([(account.account_id, account) for account in accounts]):
        tx.execute(_PUT_ACCOUNTS, _arrays(_ACCOUNT, some))


def put_answer(tx: Connection, terms: AccountTerms) -> None:
    """Keeps what billing answered about an account whose event has not arrived."""
    account = Account(
        account_id=terms["account_id"],
        user_id=terms["user_id"],
        account_type=terms["account_type"],
        currency=terms["currency"],
        markup_percentage=_percent(terms["markup_percentage"]),
        version=terms["version"],
    )
    tx.execute(_PUT_ACCOUNTS, _arrays(_ACCOUNT, [account]))


def _one_per_key(items: Sequence[tuple[str, _C]]) -> list[list[_C]]:
    rounds: list[dict[str, _C]] = []
    for key, item in items:
        free = next((some for some in rounds if key not in some), None)
        if free is None:
            rounds.append({key: item})
        else:
            free[key] = item
    return [list(some.values()) for some in rounds]


def _arrays(names: Sequence[str], rows: Sequence[User | Account]) -> dict[str, list[Any]]:
    return {name: [getattr(row, name) for row in rows] for name in names}


def _percent(text_: str | None) -> Decimal | None:
    return None if text_ is None else Decimal(text_)
