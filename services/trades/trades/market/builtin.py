"""The market that is built in: synthetic indices at Deriv's terms. Nothing of it runs; prices are computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from shared.chassis.database import Database
from shared.contracts.trades.errors import PriceMoved
from shared.utils.ids import new_id
from trades.market import contracts, pricing
from trades.market.engine import tick_at
from trades.market.hours import Hours
from trades.market.port import Contract, Outcome, Price, Proposal, Symbol, Terms, Value
from trades.market.pricing import Pricing
from trades.market.symbols import ALL
from trades.rules import Duration

_HOUSE: Final = Pricing()


class BuiltinMarket:
    """The port's built-in side. `commission` is that of `pricing`, for who sets no more."""

    def __init__(
        self, db: Database, hours: Hours, *, commission: Decimal | None = None, pricing: Pricing = _HOUSE
    ) -> None:
        self._db, self._hours = db, hours
        self._pricing = pricing if commission is None else replace(pricing, commission=commission)

    def symbols(self) -> Mapping[str, Symbol]:
        """See the port."""
        return self._hours.symbols

    def prepare(self, *, now: datetime) -> None:
        """Makes the present and the next hour, so that no trade has to wait for one."""
        self._hours.prepare(self._db, now=now)

    def proposal(self, terms: Terms, *, now: datetime) -> Proposal:
        """Deriv's price. Of Rise and Fall it does not depend on the spot, so it does not move."""
        spot = self._price(terms.symbol, now, now=now)
        price = pricing.price(terms, symbol=ALL[terms.symbol], spot=spot, pricing=self._pricing)
        if terms.quoted is not None:
            price = self._agreed(terms.quoted, price)
        return Proposal(stake=price.stake, payout=price.payout, spot=spot)

    def buy(self, *, reference: str, terms: Terms, now: datetime) -> Contract:
        """A contract from the first tick after `now` on. It exists nowhere but in the trade's own row."""
        symbol = ALL[terms.symbol]
        duration = Duration(seconds=terms.seconds, amount=terms.amount, unit=terms.unit)
        times = contracts.times(symbol, bought_at=now, duration=duration)
        price = terms.quoted or self._price_now(terms, now)
        return Contract(
            contract_id=new_id(),
            symbol=terms.symbol,
            contract_type=terms.contract_type,
            stake=price.stake,
            payout=price.payout,
            bought_at=now,
            starts_at=times.starts_at,
            expires_at=times.expires_at,
            barrier=terms.barrier,
            unit=terms.unit,
        )

    def find(self, reference: str) -> Contract | None:
        """None: what the trade's row does not have was not bought."""
        return None

    def result(self, contract: Contract, *, now: datetime) -> Outcome | None:
        """See the port."""
        if contract.expires_at > now:
            return None
        entry = self._price(contract.symbol, contract.starts_at, now=now)
        exit_ = self._price(contract.symbol, contract.expires_at, now=now)
        strike = contracts.strike_of(contract, symbol=ALL[contract.symbol], entry=entry)
        won = contracts.wins(contract.contract_type, exit_=exit_, strike=strike)
        return Outcome(won=won, entry_spot=entry, exit_spot=exit_)

    def value(self, contract: Contract, *, now: datetime) -> Value:
        """See the port."""
        if now < contract.starts_at:
            return Value(refusal="waiting_for_entry")
        return pricing.value(
            contract,
            symbol=ALL[contract.symbol],
            entry=self._price(contract.symbol, contract.starts_at, now=now),
            spot=self._price(contract.symbol, min(now, contract.expires_at), now=now),
            now=now,
            pricing=self._pricing,
        )

    def spot(self, symbol: str, *, at: datetime, now: datetime) -> Decimal | None:
        """See the port."""
        return None if at > now else self._price(symbol, at, now=now)

    def _agreed(self, quoted: Price, present: Price) -> Price:
        price = pricing.agreed(quoted, present, pricing=self._pricing)
        if price is None:
            raise PriceMoved("the market has moved too much since the quote")
        return price

    def _price_now(self, terms: Terms, now: datetime) -> Price:
        spot = self._price(terms.symbol, now, now=now) if pricing.needs_spot(terms) else None
        return pricing.price(terms, symbol=ALL[terms.symbol], spot=spot, pricing=self._pricing)

    def _price(self, code: str, at: datetime, *, now: datetime) -> Decimal:
        hour, tick = tick_at(ALL[code], at)
        return self._hours.path(self._db, hour, code, now=now).price(tick)
