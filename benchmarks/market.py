"""What the market inside costs in one process: prices, quotes, bids, proofs, and an hour in memory.

    .venv/bin/python benchmarks/market.py --seconds 1

Needs no server: hours are made in memory. `cold` is a price of an hour that nobody has looked at yet, `warm` one that
was asked for before; both through the port, with the instant turned into its tick. Prints JSON, rates a second.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path as File
from typing import Any

ROOT = File(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "services" / "trades")]

from shared.chassis.database import Database  # noqa: E402  (needs the path above)
from trades.market import verifier  # noqa: E402
from trades.market.builtin import BuiltinMarket  # noqa: E402
from trades.market.engine import HOUR, Path, commitment, hour_of  # noqa: E402
from trades.market.hours import Hours, seed_of  # noqa: E402
from trades.market.port import Contract, Price, Terms  # noqa: E402
from trades.market.proof import Settled, hours_of, proof_of  # noqa: E402
from trades.market.quotes import price_of, proposal_id_of  # noqa: E402
from trades.market.reveals import Revealed  # noqa: E402
from trades.market.symbols import ALL, FIRST_LEVEL  # noqa: E402

NOW = datetime(2026, 3, 2, 10, 20, 30, 250_000, tzinfo=UTC)
SEED = seed_of("benchmark")


class InMemory(Hours):
    """Hours that no database keeps; each opens at the first level."""

    def paths(self, db: Database | None, hour: int, *, now: datetime) -> dict[str, Path]:
        if hour not in self._cache:
            self._cache[hour] = {c: Path(s, seed=SEED(hour), opening=FIRST_LEVEL[c]) for c, s in ALL.items()}
        return self._cache[hour]

    def keep_only(self, hour: int, paths: dict[str, Path]) -> None:
        self._cache = {hour: paths}


def rate(call: Callable[[int], Any], seconds: float) -> float:
    """Calls a second."""
    began, done = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        for number in range(done, done + 100):
            call(number)
        done += 100
    return round(done / (time.perf_counter() - began))


def bytes_of_an_hour() -> dict[str, int]:
    """What an hour of all symbols takes, untouched and with every tick asked for."""
    tracemalloc.start()
    paths = [Path(symbol, seed=SEED(1), opening=FIRST_LEVEL[code]) for code, symbol in ALL.items()]
    asleep = tracemalloc.get_traced_memory()[0]
    for path in paths:
        for tick in range(path.last + 1):
            path.price(tick)
    awake = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return {"untouched": asleep, "every tick known": awake}


def settled(market: BuiltinMarket, contract: Contract) -> tuple[Settled, list[Revealed]]:
    """The end of a contract, and the hours that prove it."""
    later = contract.expires_at + timedelta(hours=2)
    outcome = market.result(contract, now=later)
    assert outcome is not None
    result = Settled(
        result="won" if outcome.won else "lost",
        entry_spot=outcome.entry_spot,
        exit_spot=outcome.exit_spot,
        paid=contract.payout if outcome.won else 0,
    )
    hours = [
        Revealed(
            hour=hour,
            commitment=commitment(SEED(hour)),
            committed_at=NOW - timedelta(hours=9),
            seed=SEED(hour),
            opening=FIRST_LEVEL[contract.symbol],
        )
        for hour in list(hours_of(contract, symbol=ALL[contract.symbol]))[1:]
    ]
    return result, hours


def measure(seconds: float) -> dict[str, Any]:
    hours = InMemory(symbols=ALL)
    market = BuiltinMarket(None, hours)
    codes = itertools.cycle(ALL)
    usual = {"symbol": "R_100", "stake": 1000, "currency": "USD", "seconds": 60, "amount": 1, "unit": "m"}
    rise, higher, equal = (
        Terms(contract_type=kind, barrier=barrier, **usual)
        for kind, barrier in (("CALL", None), ("CALL", "+0.37"), ("CALLE", None))
    )
    contract = market.buy(reference="r", terms=higher, now=NOW)

    def cold(number: int) -> None:
        code = next(codes)
        hours.keep_only(hour_of(NOW), {code: Path(ALL[code], seed=SEED(number), opening=FIRST_LEVEL[code])})
        market.spot(code, at=NOW + timedelta(seconds=number % 1200), now=NOW + timedelta(hours=1))

    def warm(number: int) -> None:
        market.spot("1HZ100V", at=NOW - timedelta(seconds=number % 900), now=NOW)

    def quote(terms: Terms) -> Callable[[int], Any]:
        return lambda number: market.proposal(terms, now=NOW - timedelta(seconds=number % 900))

    found: dict[str, Any] = {"cold prices": rate(cold, seconds)}
    hours.keep_only(hour_of(NOW), InMemory(symbols=ALL).paths(None, hour_of(NOW), now=NOW))
    found["warm prices"] = rate(warm, seconds)
    found["quotes of Rise"] = rate(quote(rise), seconds)
    found["quotes of Higher"] = rate(quote(higher), seconds)
    found["quotes of Rise Equals"] = rate(quote(equal), seconds)
    found["bids"] = rate(
        lambda number: market.value(contract, now=contract.starts_at + timedelta(seconds=number % 60)), seconds
    )
    price, sealed = Price(stake=1000, payout=1954), {"terms": rise, "account_id": "a", "secret": b"s"}
    found["quotes sealed and read"] = rate(
        lambda _: price_of(proposal_id_of(price, valid_until=NOW, **sealed), now=NOW, **sealed),
        seconds,
    )
    result, revealed = settled(market, contract)
    late = NOW + timedelta(days=1)
    prove = lambda _=0: proof_of(  # noqa: E731
        contract, result, symbol=ALL["R_100"], currency="USD", hours=revealed, now=late
    )
    found["proofs"] = rate(prove, seconds)
    proof = prove()
    assert verifier.verify(proof)[0] == []
    found["verifications"] = rate(lambda _: verifier.verify(proof), seconds)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=1.0, help="for each figure")
    found = measure(parser.parse_args().seconds)
    cold, warm = (round(1e6 / found[name], 2) for name in ("cold prices", "warm prices"))
    report = {
        "a second": found,
        "microseconds": {"cold price": cold, "warm price": warm},
        "bytes of an hour": bytes_of_an_hour(),
        "ticks of an hour": sum(HOUR // symbol.interval for symbol in ALL.values()),
        "load": os.getloadavg(),
    }
    print(json.dumps(report, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
