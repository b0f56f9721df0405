"""From what was asked to what it costs: the same for a quote and for an opening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import TypeVar

from shared.contracts.errors import FieldError, ValidationFailed
from shared.contracts.money import to_minor, to_text
from shared.contracts.trades.errors import PriceMoved
from shared.contracts.trades.rpc import ContractTerms, OpenTradeRequest
from trades import rules
from trades.commands.know_parties import Known
from trades.market.port import Market, Terms
from trades.rules import Conditions, Duration, Rate, Refused

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What would be bought, and at which price; amounts in minor units of the account's currency."""

    terms: Terms
    payout: int
    markup: int
    rate: Rate
    spot: Decimal

    @property
    def cost(self) -> int:
        return self.terms.stake + self.markup


def price_order(
    request: ContractTerms, *, known: Known, market: Market, conditions: Conditions, now: datetime
) -> Order:
    """Raises ValidationFailed with every refused field, PriceMoved below `min_payout`, and what the market raises."""
    currency = known.account.currency
    checks = _Checks()
    symbol = market.symbols().get(request.symbol)
    if symbol is None:
        checks.refuse("symbol", "unknown", f"{request.symbol} is not offered.")
    contract_type = checks.of(
        lambda: rules.contract_type(contract_type=request.contract_type, direction=request.direction)
    )
    # Of an unknown symbol the tick is unknown too: what else is wrong with the duration is told all the same.
    duration = checks.of(
        lambda: rules.duration(
            seconds=request.duration_seconds,
            amount=request.duration,
            unit=request.duration_unit,
            tick=1 if symbol is None else symbol.interval,
        )
    )
    stake = checks.of(lambda: _stake(request.stake, currency, conditions))
    min_payout = checks.of(lambda: _min_payout(request, currency))
    checks.raise_any()
    terms = _terms(request.symbol, contract_type, stake, currency, duration)
    proposal = market.proposal(terms, now=now)
    checks.of(lambda: _payout_allowed(proposal.payout, terms, conditions))
    checks.raise_any()
    if min_payout is not None and proposal.payout < min_payout:
        raise PriceMoved(f"the payout is {to_text(proposal.payout, currency)} {currency} now")
    rate = _rate(known, conditions)
    markup = rules.markup_of(proposal.payout, rate.percent)
    return Order(terms=terms, payout=proposal.payout, markup=markup, rate=rate, spot=proposal.spot)


def _rate(known: Known, conditions: Conditions) -> Rate:
    code, rule, affiliate = known.code, known.rule, known.affiliate
    return rules.effective_rate(
        account=known.account.markup_percentage,
        code=code.markup_percent if code else None,
        rule=Rate(percent=rule.markup_percent, source="rule", rule_id=rule.rule_id, rule_version=rule.rule_version)
        if rule
        else None,
        affiliate=affiliate.markup_percentage if affiliate else None,
        platform=conditions.platform_percent,
        maximum=conditions.percent_max,
    )


class _Checks:
    """Collects refusals, so that a client learns of all of them at once."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def of(self, check: Callable[[], T]) -> T | None:
        try:
            return check()
        except Refused as refused:
            self.refuse(refused.field, refused.code, refused.message)
            return None

    def refuse(self, field: str, code: str, message: str) -> None:
        self._errors.append(FieldError(field=field, code=code, message=message))

    def raise_any(self) -> None:
        if self._errors:
            raise ValidationFailed(errors=self._errors)


def amount(text: str, currency: str, field: str) -> int:
    """Minor units of a field. Raises Refused."""
    try:
        return to_minor(text, currency)
    except ValueError as error:
        raise Refused(field, "invalid", f"Not an amount of {currency}: {error}.") from None


def limit(units: Decimal, currency: str) -> int:
    """A limit of the house in minor units."""
    return to_minor(f"{units:f}", currency)


def _stake(text: str, currency: str, conditions: Conditions) -> int:
    stake = amount(text, currency, "stake")
    if stake < limit(conditions.stake_min, currency):
        raise Refused("stake", "too_low", f"The minimum stake is {conditions.stake_min} {currency}.")
    return stake


def _min_payout(request: ContractTerms, currency: str) -> int | None:
    if not isinstance(request, OpenTradeRequest) or request.min_payout is None:
        return None
    return amount(request.min_payout, currency, "min_payout")


def _payout_allowed(payout: int, terms: Terms, conditions: Conditions) -> None:
    if payout > limit(conditions.payout_max, terms.currency):
        now = to_text(payout, terms.currency)
        raise Refused("stake", "payout_too_high", f"The maximum payout is {conditions.payout_max}, this is {now}.")
    if payout <= terms.stake:
        raise Refused("duration", "no_return", "This contract offers no return.")


def _terms(
    symbol: str, contract_type: str | None, stake: int | None, currency: str, duration: Duration | None
) -> Terms:
    if contract_type is None or stake is None or duration is None:
        raise AssertionError("a field that was refused got through")
    return Terms(
        symbol=symbol,
        contract_type=contract_type,
        stake=stake,
        currency=currency,
        seconds=duration.seconds,
        amount=duration.amount,
        unit=duration.unit,
    )
