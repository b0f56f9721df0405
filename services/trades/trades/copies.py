"""What others have told us. The newest version wins, whatever the order of arrival; rows never go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Any, Final, TypeVar

from sqlalchemy import Connection, TextClause, text

from shared.chassis import idempotency
from shared.chassis.context import Idempotency
from shared.contracts.billing.events import AccountOpened, AccountUpdated
from shared.contracts.billing.rpc import AccountTerms
from shared.contracts.commission.events import CommissionRuleChanged
from shared.contracts.envelope import Received
from shared.contracts.referrals.events import ReferralCodeChanged
from shared.contracts.users.events import UserRegistered, UserUpdated
from trades.models.copied import Account, Code, Rule, User


@dataclass(frozen=True, slots=True, kw_only=True)
class Parties:
    """None where no copy has arrived or there is none. `code` is the trader's, `rule` his affiliate's.

    `seen`: the id of what the idempotency key has made before.
    """

    user: User | None
    account: Account | None
    affiliate: User | None
    code: Code | None
    rule: Rule | None
    seen: str | None


_C = TypeVar("_C", User, Account, Code, Rule)
_NAMES: Final[dict[type[Any], tuple[str, ...]]] = {
    cls: tuple(item.name for item in fields(cls)) for cls in (User, Account, Code, Rule)
}
_TYPES: Final = {
    "is_active": "boolean",
    "is_frozen": "boolean",
    "markup_percentage": "numeric",
    "markup_percent": "numeric",
    "rule_version": "integer",
    "version": "bigint",
}


def _columns(alias: str, cls: type[Any]) -> str:
    # Ids are text here: the driver would make objects of them.
    return ", ".join(
        f"CAST({alias}.{name} AS text) AS {alias}_{name}"
        if name.endswith("_id")
        else f"{alias}.{name} AS {alias}_{name}"
        for name in _NAMES[cls]
    )


def _rows(cls: type[Any]) -> str:
    # The first column is the key, in whose order all writers lock.
    names = _NAMES[cls]
    types = {name: "uuid" if name.endswith("_id") else _TYPES.get(name, "text") for name in names}
    arrays = ", ".join(f"CAST(:{name} AS {types[name]}[])" for name in names)
    return f"({', '.join(names)}) SELECT * FROM unnest({arrays}) AS new ({names[0]}) ORDER BY {names[0]}"


def _put(table: str, cls: type[Any]) -> TextClause:
    key, *others = _NAMES[cls]
    changes = ", ".join(f"{name} = excluded.{name}" for name in others)
    return text(
        f"INSERT INTO {table} AS mine {_rows(cls)}"
        f" ON CONFLICT ({key}) DO UPDATE SET {changes} WHERE excluded.version > mine.version"
    )


_PARTIES = text(
    f"SELECT {_columns('u', User)}, {_columns('a', Account)}, {_columns('r', User)}, {_columns('c', Code)},"
    f" {_columns('l', Rule)}, CAST(i.subject_id AS text) AS seen_id, i.request_hash AS seen_hash"
    " FROM (SELECT CAST(:user_id AS uuid) AS user_id, CAST(:account_id AS uuid) AS account_id) asked"
    " LEFT JOIN user_copies u ON u.user_id = asked.user_id"
    " LEFT JOIN account_copies a ON a.account_id = asked.account_id"
    " LEFT JOIN user_copies r ON r.user_id = u.referrer_id"
    " LEFT JOIN code_copies c ON c.code_id = u.code_id"
    " LEFT JOIN rule_copies l ON l.owner_id = u.referrer_id"
    " LEFT JOIN idempotency i ON i.user_id = asked.user_id AND i.route = :route AND i.key = :key"
)
_PUT_USERS = text(
    f"INSERT INTO user_copies AS mine {_rows(User)}"
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
_PUT_ACCOUNTS = _put("account_copies", Account)
_PUT_CODES = _put("code_copies", Code)
_PUT_RULES = _put("rule_copies", Rule)


def parties(tx: Connection, *, user_id: str, account_id: str, asked: Idempotency | None = None) -> Parties:
    """The copies that a trade needs, and what the idempotency key has made, in one question.

    Raises IdempotencyMismatch.
    """
    key = {"route": asked.route, "key": asked.key} if asked is not None else {"route": None, "key": None}
    row = tx.execute(_PARTIES, {"user_id": user_id, "account_id": account_id, **key}).mappings().one()
    seen = row["seen_id"]
    return Parties(
        seen=None if seen is None or asked is None else idempotency.check(seen, row["seen_hash"], asked),
        user=_of(User, "u", row),
        account=_of(Account, "a", row),
        affiliate=_of(User, "r", row),
        code=_of(Code, "c", row),
        rule=_of(Rule, "l", row),
    )


def _of(cls: type[_C], alias: str, row: Any) -> _C | None:
    if row[f"{alias}_version"] is None:
        return None
    return cls(**{name: row[f"{alias}_{name}"] for name in _NAMES[cls]})


def put_users(tx: Connection, events: Sequence[Received[UserRegistered | UserUpdated]]) -> None:
    """Keeps the newest state of each user."""
    codes = {event.data.user_id: event.data.code_id for event in events if isinstance(event.data, UserRegistered)}
    users = [
        User(
            user_id=event.data.user_id,
            is_active=event.data.is_active,
            is_frozen=event.data.is_frozen,
            referrer_id=event.data.referrer_id,
            code_id=codes.get(event.data.user_id),
            markup_percentage=_percent(event.data.markup_percentage),
            version=event.subject_version,
        )
        for event in events
    ]
    tx.execute(_PUT_USERS, _arrays(users))


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
    tx.execute(_PUT_ACCOUNTS, _arrays(accounts))


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
    tx.execute(_PUT_ACCOUNTS, _arrays([account]))


def put_codes(tx: Connection, events: Sequence[Received[ReferralCodeChanged]]) -> None:
    """Keeps the newest rate of each code."""
    codes = [
        Code(
            code_id=event.data.code_id,
            owner_id=event.data.owner_id,
            markup_percent=_percent(event.data.markup_percent),
            version=event.subject_version,
        )
        for event in events
    ]
    tx.execute(_PUT_CODES, _arrays(codes))


def put_rules(tx: Connection, events: Sequence[Received[CommissionRuleChanged]]) -> None:
    """Keeps the newest version of each owner's rule."""
    rules = [
        Rule(
            owner_id=event.data.owner_id,
            rule_id=event.data.rule_id,
            rule_version=event.data.rule_version,
            markup_percent=Decimal(event.data.markup_percent),
            version=event.subject_version,
        )
        for event in events
    ]
    tx.execute(_PUT_RULES, _arrays(rules))


def _arrays(rows: Sequence[_C]) -> dict[str, list[Any]]:
    # One statement may touch a row once: of each key the newest is left.
    names = _NAMES[type(rows[0])]
    newest = {getattr(row, names[0]): row for row in sorted(rows, key=lambda row: row.version)}
    return {name: [getattr(row, name) for row in newest.values()] for name in names}


def _percent(text_: str | None) -> Decimal | None:
    return None if text_ is None else Decimal(text_)
