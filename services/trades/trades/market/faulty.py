"""Any market of the port, with faults: what it says comes late, twice or not at all, as `faults.py` has it."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final, TypeVar
from uuid import UUID, uuid5

from shared.chassis.database import Database
from shared.contracts.errors import DeadlineExceeded, ServiceUnavailable
from shared.contracts.trades.errors import PriceMoved
from shared.settings.env import EnvConfig, SettingError
from shared.utils.time import get_utc_now
from trades.market.book import Book, Purchase
from trades.market.faults import Faults, faults
from trades.market.port import Contract, Market, Outcome, Proposal, Symbol, Terms, Value

T = TypeVar("T")
Sleep = Callable[[float], None]

_CONTRACTS: Final = UUID("6f0f6c0e-0d6a-4b8e-9a53-1d1f6b0c7e21")
"""The name space of contract ids: each follows from its reference."""


def _sleep(seconds: float) -> None:
    time.sleep(seconds)


def faults_of(settings: EnvConfig) -> Faults | None:
    """None when nothing is to go wrong. Raises SettingError, for any fault in production."""
    text = settings.get("MARKET_FAULTS")
    if not text:
        return None
    if settings.get("NEXUS_ENV") == "prod":
        raise SettingError("MARKET_FAULTS is for tests: with it the market fails on purpose")
    try:
        return faults(text)
    except ValueError as error:
        raise SettingError(f"MARKET_FAULTS: {error}") from None


def faulty(market: Market, db: Database, wanted: Faults | None) -> Market:
    """The market as it is asked, with the faults that are switched on, if any."""
    return market if wanted is None else FaultyMarket(market, Book(db), wanted)


class FaultyMarket:
    """The port over another market, which must price and settle alone; what is bought is written in the book.

    delay: the answer comes later. drop: refused, nothing is done. duplicate: asked twice. disconnect: broken off,
    before it was done or after. price_moved: as quoted it is not sold any more. buy_unknown: a disconnect while buying.
    late_result: no result until some seconds after the end.
    """

    def __init__(self, market: Market, book: Book, faults: Faults, *, sleep: Sleep = _sleep) -> None:
        self._market, self._book, self._faults, self._sleep = market, book, faults, sleep

    def symbols(self) -> Mapping[str, Symbol]:
        """See the port."""
        return self._market.symbols()

    def prepare(self, *, now: datetime) -> None:
        """See the port: nobody waits for it, so that a fault would show nothing."""
        self._market.prepare(now=now)

    def proposal(self, terms: Terms, *, now: datetime) -> Proposal:
        """See the port."""
        if terms.quoted is not None:
            self._move("proposal", terms, now)
        return self._ask("proposal", terms, now, lambda: self._market.proposal(terms, now=now))

    def buy(self, *, reference: str, terms: Terms, now: datetime) -> Contract:
        """See the port."""
        self._move("buy", reference, now)
        unknown = ("disconnect", "buy_unknown")
        return self._ask("buy", reference, now, lambda: self._bought(reference, terms, now=now), broken_by=unknown)

    def find(self, reference: str) -> Contract | None:
        """See the port."""
        return self._ask("find", reference, get_utc_now(), lambda: self._found(reference))

    def result(self, contract: Contract, *, now: datetime) -> Outcome | None:
        """See the port."""
        late = self._faults.strikes("late_result", contract.contract_id)
        if late is not None and now < contract.expires_at + timedelta(seconds=late.seconds):
            return None
        return self._ask("result", contract.contract_id, now, lambda: self._market.result(contract, now=now))

    def value(self, contract: Contract, *, now: datetime) -> Value:
        """See the port."""
        return self._ask("value", contract.contract_id, now, lambda: self._market.value(contract, now=now))

    def spot(self, symbol: str, *, at: datetime, now: datetime) -> Decimal | None:
        """See the port."""
        return self._ask("spot", (symbol, at), now, lambda: self._market.spot(symbol, at=at, now=now))

    def _bought(self, reference: str, terms: Terms, *, now: datetime) -> Contract:
        purchase = self._book.buy(reference, terms, now=now)
        if purchase is None:
            raise ServiceUnavailable("the market sells nothing to a trade that is given up")
        return self._contract(reference, purchase)

    def _found(self, reference: str) -> Contract | None:
        purchase = self._book.find(reference)
        return None if purchase is None else self._contract(reference, purchase)

    def _contract(self, reference: str, purchase: Purchase) -> Contract:
        contract = self._market.buy(reference=reference, terms=purchase.terms, now=purchase.at)
        return replace(contract, contract_id=str(uuid5(_CONTRACTS, reference)))

    def _move(self, method: str, subject: object, now: datetime) -> None:
        if self._faults.strikes("price_moved", method, subject, now):
            raise PriceMoved("the market has moved on")

    def _ask(
        self,
        method: str,
        subject: object,
        now: datetime,
        call: Callable[[], T],
        *,
        broken_by: tuple[str, ...] = ("disconnect",),
    ) -> T:
        asked = (method, subject, now)
        if self._faults.strikes("drop", *asked):
            raise ServiceUnavailable("the market refuses")
        if any(self._faults.strikes(name, *asked) for name in broken_by):
            if self._faults.chance("arrived", *asked) < 0.5:
                call()
            raise DeadlineExceeded("the market was lost before it answered")
        answer = call()
        if self._faults.strikes("duplicate", *asked):
            answer = call()
        if late := self._faults.strikes("delay", *asked):
            self._sleep(late.seconds)
        return answer
