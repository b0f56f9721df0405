"""The market that is built in: synthetic indices at Deriv's terms. Nothing of it runs; prices are computed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from shared.chassis.database import Database
from shared.utils.ids import new_id
from trades.market.engine import SYMBOLS, first_tick_after, tick_at
from trades.market.hours import Hours
from trades.market.port import Contract, Outcome, Proposal, Symbol, Terms
from trades.rules import payout_for, win_probability, wins


class BuiltinMarket:
    """The port's built-in side. `commission` is what the house adds to the fair probability."""

    def __init__(self, db: Database, hours: Hours, *, commission: Decimal) -> None:
        self._db, self._hours, self._commission = db, hours, commission

    def symbols(self) -> Mapping[str, Symbol]:
        """See the port."""
        return SYMBOLS

    def prepare(self, *, now: datetime) -> None:
        """Makes the present and the next hour, so that no trade has to wait for one."""
        self._hours.prepare(self._db, now=now)

    def proposal(self, terms: Terms, *, now: datetime) -> Proposal:
        """Deriv's price. At the money it does not depend on the spot, so it does not move."""
        return Proposal(payout=self._payout(terms), spot=self._price(terms.symbol, now, now=now))

    def buy(self, *, reference: str, terms: Terms, now: datetime) -> Contract:
        """A contract from the first tick after `now` on. It exists nowhere but in the trade's own row."""
        starts_at = first_tick_after(SYMBOLS[terms.symbol], now)
        return Contract(
            contract_id=new_id(),
            symbol=terms.symbol,
            contract_type=terms.contract_type,
            stake=terms.stake,
            payout=self._payout(terms),
            bought_at=now,
            starts_at=starts_at,
            expires_at=starts_at + timedelta(seconds=terms.seconds),
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
        won = wins(contract.contract_type, entry=entry, exit_=exit_)
        return Outcome(won=won, entry_spot=entry, exit_spot=exit_)

    def spot(self, symbol: str, *, at: datetime, now: datetime) -> Decimal | None:
        """See the port."""
        return None if at > now else self._price(symbol, at, now=now)

    def _payout(self, terms: Terms) -> int:
        sigma = SYMBOLS[terms.symbol].sigma
        probability = win_probability(terms.contract_type, sigma=sigma, seconds=terms.seconds)
        return payout_for(terms.stake, probability=probability, commission=self._commission)

    def _price(self, code: str, at: datetime, *, now: datetime) -> Decimal:
        hour, tick = tick_at(SYMBOLS[code], at)
        return self._hours.paths(self._db, hour, now=now)[code].price(tick)
