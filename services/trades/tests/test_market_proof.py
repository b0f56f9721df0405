"""The proof of a settled contract is right, and whatever is changed in it shows."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from shared.contracts.errors import NotReady
from trades.market import verifier
from trades.market.contracts import KINDS, strike_of, times, wins
from trades.market.engine import HOUR, Path, commitment, tick_at
from trades.market.hours import seed_of
from trades.market.port import Contract
from trades.market.pricing import Pricing, value
from trades.market.proof import Settled, available_at, hours_of, proof_of
from trades.market.reveals import Revealed
from trades.market.symbols import ALL, FIRST_LEVEL
from trades.rules import duration

FIRST_HOUR = 492_000
BEGAN = datetime.fromtimestamp(FIRST_HOUR * HOUR, UTC)
SEED = seed_of("proofs")
LAST_HOUR = FIRST_HOUR + 40


@cache
def chain(code: str) -> dict[int, Revealed]:
    """A symbol's hours from its first one on."""
    opening, made = FIRST_LEVEL[code], {}
    for number in range(FIRST_HOUR, LAST_HOUR):
        seed = SEED(number)
        made[number] = Revealed(
            hour=number,
            commitment=commitment(seed),
            committed_at=BEGAN + timedelta(hours=number - FIRST_HOUR - 1),
            seed=seed,
            opening=opening,
        )
        opening = Path(ALL[code], seed=seed, opening=opening).closing()
    return made


@cache
def path(code: str, hour: int) -> Path:
    return Path(ALL[code], seed=SEED(hour), opening=chain(code)[hour].opening)


def spot(code: str, at: datetime) -> Decimal:
    hour, tick = tick_at(ALL[code], at)
    return path(code, hour).price(tick)


def proved(code, contract_type, barrier, after, amount, unit, sold_after=None):
    """The proof of a contract that was bought so long after the market began, and settled or sold."""
    symbol = ALL[code]
    length = duration(seconds=None, amount=amount, unit=unit, tick=symbol.interval)
    found = times(symbol, bought_at=BEGAN + after, duration=length)
    contract = Contract(
        contract_id="c",
        symbol=code,
        contract_type=contract_type,
        stake=1000,
        payout=1954,
        bought_at=BEGAN + after,
        starts_at=found.starts_at,
        expires_at=found.expires_at,
        barrier=barrier,
        unit=unit,
    )
    entry = spot(code, contract.starts_at)
    if sold_after is None:
        exit_ = spot(code, contract.expires_at)
        won = wins(contract_type, exit_=exit_, strike=strike_of(contract, symbol=symbol, entry=entry))
        settled = Settled(
            result="won" if won else "lost", entry_spot=entry, exit_spot=exit_, paid=contract.payout * won
        )
    else:
        sold_at = contract.starts_at + sold_after
        price, house = spot(code, sold_at), Pricing()
        bid = value(contract, symbol=symbol, entry=entry, spot=price, now=sold_at, pricing=house).bid
        settled = Settled(
            result="sold", entry_spot=entry, exit_spot=price, paid=bid, sold_at=sold_at, commission=house.commission
        )
    hours = [
        chain(code)[hour] for hour in hours_of(contract, symbol=symbol, sold_at=settled.sold_at) if hour in chain(code)
    ]
    late = BEGAN + timedelta(days=400)
    made = proof_of(contract, settled, symbol=symbol, currency="USD", hours=hours, now=late)
    return json.loads(json.dumps(made))


contracts = st.builds(
    proved,
    code=st.sampled_from(list(ALL)),
    contract_type=st.sampled_from(["CALL", "PUT"]),
    barrier=st.sampled_from([None, "+0.1", "-0.1", "+1", "1500.5"]),
    after=st.timedeltas(timedelta(0), timedelta(hours=10)),
    amount=st.integers(1, 10),
    unit=st.sampled_from("tmh"),
) | st.builds(
    proved,
    code=st.sampled_from(list(ALL)),
    contract_type=st.sampled_from(list(KINDS)),
    barrier=st.none(),
    after=st.timedeltas(timedelta(0), timedelta(hours=10)),
    amount=st.integers(1, 10),
    unit=st.sampled_from("mh"),
    sold_after=st.timedeltas(timedelta(seconds=2), timedelta(seconds=44)),
)


@settings(deadline=None)
@given(contracts)
def test_a_true_proof_is_right(proof):
    known = {hour["hour"]: hour["commitment"] for hour in proof["hours"]}
    assert verifier.verify(proof) == verifier.verify(proof, known) == ([], [])


def leaves(thing, where=()) -> Iterator[tuple]:
    """Every value in a proof, by its place."""
    items = thing.items() if isinstance(thing, dict) else enumerate(thing) if isinstance(thing, list) else ()
    for key, inner in items:
        yield from leaves(inner, (*where, key))
    if not isinstance(thing, dict | list):
        yield where


def changed(value: object, how: int) -> object:
    """Something else of the same form."""
    if isinstance(value, int):
        return value + how
    text = str(value)
    if text in ("won", "lost", "sold"):
        return {"won": "lost", "lost": "won", "sold": "won"}[text]
    digits = [at for at, character in enumerate(text) if character.isdigit()]
    if not digits:
        return text + "x"
    at = digits[how % len(digits)]
    return text[:at] + str((int(text[at]) + 1 + how % 9) % 10) + text[at + 1 :]


UNKNOWN = ("contract_id", "contract_type", "currency", "stake", "payout", "bought_at", "barrier")
AGREED = {*(("contract", name) for name in UNKNOWN), ("settlement", "sold_at"), ("settlement", "commission")}
"""What no seed knows, but the trader does: it counts where it makes another result."""
TOLD = {"committed_at"}
"""What the house says of itself: what counts is that somebody kept the commitment."""


@settings(deadline=None)
@given(proof=contracts, data=st.data(), how=st.integers(1, 1000))
def test_any_other_value_is_found(proof, data, how):
    where = data.draw(
        st.sampled_from([place for place in leaves(proof) if place not in AGREED and place[-1] not in TOLD])
    )
    tampered = copy.deepcopy(proof)
    holder = tampered
    for key in where[:-1]:
        holder = holder[key]
    holder[where[-1]] = changed(holder[where[-1]], how)
    if where[-1] == "opening":
        # What no computer's arithmetic tells apart is the same.
        before, after = (float(found["hours"][where[1]]["opening"]) for found in (proof, tampered))
        assume(abs(after / before - 1) > 1e-11)
    assert verifier.verify(tampered)[0] != []


@settings(deadline=None)
@given(proof=contracts, data=st.data(), byte=st.integers(0, 31))
def test_another_seed_with_its_own_commitment_is_found_by_the_prices_or_the_published_list(proof, data, byte):
    known = {hour["hour"]: hour["commitment"] for hour in proof["hours"]}
    hour = data.draw(st.sampled_from(proof["hours"]))
    seed = bytearray.fromhex(hour["seed"])
    seed[byte] ^= 1
    hour["seed"], hour["commitment"] = seed.hex(), commitment(bytes(seed)).hex()
    assert verifier.verify(proof, known)[0] != []
    assert verifier.verify(proof)[0] != []


def test_a_loss_cannot_be_shown_at_another_tick_by_calling_it_a_sale():
    proof = proved("R_100", "CALL", None, timedelta(hours=3), 1, "h")
    early = proved("R_100", "CALL", None, timedelta(hours=3), 1, "h", sold_after=timedelta(seconds=30))
    proof["exit"], proof["settlement"]["sold_at"] = early["exit"], early["settlement"]["sold_at"]
    assert "Only what was sold has a time of sale and a commission." in verifier.verify(proof)[0]


def test_an_hour_that_was_committed_to_too_late_is_told():
    proof = proved("R_100", "CALL", None, timedelta(hours=3), 5, "t")
    number = proof["hours"][1]["hour"]
    proof["hours"][1]["committed_at"] = "2030-01-01T00:00:00Z"
    faults, notes = verifier.verify(proof)
    assert faults == []
    assert notes == [f"Hour {number} was committed to after it had begun, at 2030-01-01T00:00:00Z."]


def test_the_first_hour_of_a_symbol_needs_no_hour_before_and_opens_at_its_first_level():
    proof = proved("R_100", "CALL", None, timedelta(minutes=3), 5, "t")
    assert [hour["hour"] for hour in proof["hours"]] == [FIRST_HOUR]
    assert verifier.verify(proof)[0] == []
    # Later hours must show the one before, or their opening could be anything.
    later = proved("R_100", "CALL", None, timedelta(hours=1, minutes=3), 5, "t")
    del later["hours"][0]
    assert "The first hour of R_100 opens at 1500." in verifier.verify(later)[0]


def test_a_contract_that_ends_on_the_hour_is_proved_when_that_hour_begins():
    symbol = ALL["1HZ100V"]
    on_the_hour = BEGAN + timedelta(hours=2)
    contract = Contract(
        contract_id="c",
        symbol="1HZ100V",
        contract_type="CALL",
        stake=1,
        payout=2,
        bought_at=on_the_hour - timedelta(seconds=6),
        starts_at=on_the_hour - timedelta(seconds=5),
        expires_at=on_the_hour,
    )
    assert available_at(contract, symbol=symbol) == on_the_hour
    assert list(hours_of(contract, symbol=symbol)) == [FIRST_HOUR, FIRST_HOUR + 1]
    settled = Settled(result="lost", entry_spot=Decimal(1), exit_spot=Decimal(1), paid=0)
    hours = [chain("1HZ100V")[hour] for hour in hours_of(contract, symbol=symbol)]
    usual = {"symbol": symbol, "currency": "USD", "hours": hours}
    assert proof_of(contract, settled, now=on_the_hour, **usual)
    with pytest.raises(NotReady):
        proof_of(contract, settled, now=on_the_hour - timedelta(microseconds=1), **usual)
    with pytest.raises(ValueError, match="needs the hours"):
        proof_of(contract, settled, now=on_the_hour, **{**usual, "hours": hours[:1]})
