"""Short words for awards: who earns what, what is kept for him, and what he is worth in the end."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from billing import ledger
from billing.commands.credit_commissions import credit_commissions
from billing.commands.reverse_commissions import reverse_commissions
from billing.commands.update_users import update_users
from shared.contracts.commission.events import CommissionAccrued, CommissionReversed, ReferralCommissionAccrued
from shared.contracts.envelope import Received
from shared.contracts.users.events import UserUpdated
from shared.utils.ids import new_id
from shared.utils.time import get_utc_now


class Awards:
    """What commission tells, and what the books make of it."""

    def __init__(self, books: Any) -> None:
        self.books = books

    def accrued(self, owner_id: str, amount: int = 39, currency: str = "USD") -> Received[CommissionAccrued]:
        award_id = new_id()
        data = dataclasses.replace(
            CommissionAccrued.example(),
            award_id=award_id,
            trade_id=new_id(),
            owner_id=owner_id,
            amount=amount,
            currency=currency,
        )
        return self.books.received(data, award_id)

    def referral(self, owner_id: str, amount: int = 2500) -> Received[ReferralCommissionAccrued]:
        award_id = new_id()
        example = ReferralCommissionAccrued.example()
        data = dataclasses.replace(example, award_id=award_id, deposit_id=new_id(), owner_id=owner_id, amount=amount)
        return self.books.received(data, award_id)

    def reversed(self, accrued: Received[CommissionAccrued], **changes: Any) -> Received[CommissionReversed]:
        award = accrued.data
        same = {name: getattr(award, name) for name in ("award_id", "trade_id", "owner_id", "currency", "amount")}
        data = dataclasses.replace(CommissionReversed.example(), reversal_id=new_id(), **{**same, **changes})
        return self.books.received(data, award.award_id, 2)

    def credit(self, *accrued: Any) -> None:
        credit_commissions(self.books.db, accrued, now=get_utc_now())

    def take_back(self, *reversed_: Received[CommissionReversed]) -> None:
        reverse_commissions(self.books.db, reversed_, now=get_utc_now())

    def say(self, user_id: str, version: int, *, is_frozen: bool, republished: bool = False) -> Received[UserUpdated]:
        """The user's new state is heard of."""
        data = dataclasses.replace(UserUpdated.example(), user_id=user_id, is_frozen=is_frozen)
        event = self.books.received(data, user_id, version)
        event = Received(dataclasses.replace(event.envelope, republished=republished), data)
        update_users(self.books.db, [event], now=get_utc_now())
        return event

    def accounts(self, user_id: str) -> list[tuple[str, str, int]]:
        """Type, currency and balance of a user's accounts, oldest first."""
        query = (
            "SELECT account_type, currency, balance FROM accounts WHERE user_id = %s AND kind = 'client' ORDER BY id"
        )
        return self.books.rows(query, user_id)

    def kept(self, user_id: str, currency: str = "USD") -> int:
        return self.books.balance(ledger.payable("real", currency, user_id))

    def debt(self, user_id: str, currency: str = "USD") -> int:
        return -self.books.balance(ledger.receivable("real", currency, user_id))

    def house(self, purpose: str = "markup") -> int:
        return self.books.house(purpose, environment="real")

    def lines(self, user_id: str) -> list[tuple[Any, ...]]:
        """Type, amount, reference and metadata of a user's lines, oldest first."""
        return self.books.rows(
            "SELECT tx_type, amount, reference, metadata FROM transactions WHERE user_id = %s ORDER BY id", user_id
        )

    def told(self) -> list[str]:
        """Kinds of the ledger transactions that were told."""
        return [event.data["kind"] for event in self.books.told("transaction_recorded")]


@pytest.fixture
def awards(books):
    return Awards(books)


@pytest.fixture
def owner():
    return new_id()
