"""From what was asked to what it costs: the same for a quote and for an opening."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import TypeVar, cast

from shared.contracts.errors import FieldError, ValidationFailed
from shared.contracts.money import to_minor, to_text
from shared.contracts.trades.errors import PriceMoved
from shared.contracts.trades.rpc import ContractTerms, OpenTradeRequest
from trades import rules
from trades.commands.know_parties import Known
from trades.market import contracts, quotes
from trades.market.port import Market, Price, Proposal, Symbol, Terms
from trades.rules import Conditions, Duration, Rate, Refused

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What would be bought, and at which price; amounts in minor units of the account's currency.

    The stake of the terms is what is paid, whether it was asked for or follows from a payout.
    """

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
    """Raises ValidationFailed with every refused field, PriceMoved, and what the market raises.

    The price has moved when it is below `min_payout`, or worse than a valid quote by more than the market allows.
    """
    asked, min_payout = _asked(request, known.account.currency, market, conditions)
    terms = replace(asked, quoted=_quoted(request, asked, conditions, now=now))
    proposal = _checked(lambda: _allowed(market.proposal(terms, now=now), terms, conditions))
    if min_payout is not None and proposal.payout < min_payout:
        raise PriceMoved(f"the payout is {to_text(proposal.payout, terms.currency)} {terms.currency} now")
    rate = _rate(known, conditions)
    return Order(
        terms=replace(terms, stake=proposal.stake, quoted=Price(stake=proposal.stake, payout=proposal.payout)),
        payout=proposal.payout,
        markup=rules.markup_of(proposal.payout, rate.percent),
        rate=rate,
        spot=proposal.spot,
    )


def _asked(request: ContractTerms, currency: str, market: Market, conditions: Conditions) -> tuple[Terms, int | None]:
    """The terms, and the payout below which they are not wanted."""
    checks = _Checks()
    symbol = market.symbols().get(request.symbol)
    if symbol is None:
        checks.refuse("symbol", "unknown", f"{request.symbol} is not offered.")
    contract_type = checks.of(
        lambda: rules.contract_type(contract_type=request.contract_type, direction=request.direction)
    )
    if symbol is not None and contract_type is not None:
        checks.of(lambda: contracts.barrier_of(request.barrier, contract_type=contract_type, symbol=symbol))
    duration = checks.of(lambda: _duration(request, symbol))
    basis = checks.of(lambda: _basis(request, currency, conditions))
    min_payout = checks.of(lambda: _min_payout(request, currency))
    checks.raise_any()
    return _terms(request, contract_type, basis, currency, duration), min_payout


def _quoted(request: ContractTerms, terms: Terms, conditions: Conditions, *, now: datetime) -> Price | None:
    """What a proposal of ours holds for just these terms; any other text promises nothing."""
    if not isinstance(request, OpenTradeRequest) or request.proposal_id is None:
        return None
    return quotes.price_of(
        request.proposal_id, terms=terms, account_id=request.account_id, secret=conditions.secret, now=now
    )


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


def _checked(check: Callable[[], T]) -> T:
    checks = _Checks()
    found = checks.of(check)
    checks.raise_any()
    return cast("T", found)


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


def _duration(request: ContractTerms, symbol: Symbol | None) -> Duration:
    # Of an unknown symbol the tick is unknown too: what else is wrong with the duration is told all the same.
    return rules.duration(
        seconds=request.duration_seconds,
        amount=request.duration,
        unit=request.duration_unit,
        tick=1 if symbol is None else symbol.interval,
    )


def _basis(request: ContractTerms, currency: str, conditions: Conditions) -> tuple[int, int | None]:
    """The stake, or else 0 and the payout that it is to follow from."""
    if request.payout is not None:
        if request.stake is not None:
            raise Refused("payout", "contradiction", "Give stake or payout, not both.")
        return 0, amount(request.payout, currency, "payout")
    if request.stake is None:
        raise Refused("stake", "required", "Give stake or payout.")
    stake = amount(request.stake, currency, "stake")
    if stake < limit(conditions.stake_min, currency):
        raise Refused("stake", "too_low", f"The minimum stake is {conditions.stake_min} {currency}.")
    return stake, None


def _min_payout(request: ContractTerms, currency: str) -> int | None:
    if not isinstance(request, OpenTradeRequest) or request.min_payout is None:
        return None
    return amount(request.min_payout, currency, "min_payout")


def _allowed(proposal: Proposal, terms: Terms, conditions: Conditions) -> Proposal:
    currency, field = terms.currency, "stake" if terms.payout is None else "payout"
    if proposal.payout > limit(conditions.payout_max, currency):
        now = to_text(proposal.payout, currency)
        raise Refused(field, "payout_too_high", f"The maximum payout is {conditions.payout_max}, this is {now}.")
    if proposal.stake < limit(conditions.stake_min, currency):
        now = to_text(proposal.stake, currency)
        raise Refused(field, "too_low", f"The minimum stake is {conditions.stake_min} {currency}, this is {now}.")
    if proposal.payout <= proposal.stake:
        raise Refused("barrier" if terms.barrier else "duration", "no_return", "This contract offers no return.")
    return proposal


def _terms(
    request: ContractTerms,
    contract_type: str | None,
    basis: tuple[int, int | None] | None,
    currency: str,
    duration: Duration | None,
) -> Terms:
    if contract_type is None or basis is None or duration is None:
        raise AssertionError("a field that was refused got through")
    stake, payout = basis
    return Terms(
        symbol=request.symbol,
        contract_type=contract_type,
        stake=stake,
        currency=currency,
        seconds=duration.seconds,
        amount=duration.amount,
        unit=duration.unit,
        barrier=request.barrier,
        payout=payout,
    )
