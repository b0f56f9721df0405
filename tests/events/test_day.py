"""A day of trades on the virtual clock: done again from its log it is the same to the bit, and the books are right."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.chassis.testing.databases import Databases
from tests.events import world as worlds
from tests.events.day import Log, Stage, digests, replay
from tests.events.trading import Trading
from tests.events.world import World
from trades.market.proved import wrong_proofs
from users import passwords

SEED = 20_260_302
FAULTS = "drop=0.02,disconnect=0.02,duplicate=0.05,price_moved=0.02,buy_unknown=0.05,late_result=0.05:30s,seed=7"
_RESULTS = """
    SELECT count(*), count(*) FILTER (WHERE status = 'WON'), count(*) FILTER (WHERE status = 'LOST'),
        count(*) FILTER (WHERE reason = 'sold'), count(*) FILTER (WHERE reason = 'staff'),
        count(*) FILTER (WHERE status = 'CANCELLED' AND settled_status IS NULL),
        count(*) FILTER (WHERE status = 'CANCELLED' AND settled_status IS NOT NULL),
        count(*) FILTER (WHERE status = 'REJECTED'),
        count(*) FILTER (WHERE status IN ('PENDING', 'OPEN')), count(DISTINCT symbol || contract_type)
    FROM trades
"""
_NAMES = ("trades", "won", "lost", "sold", "closed", "voided_open", "voided_settled", "rejected", "unfinished", "kinds")


@pytest.fixture
def stage(databases: Databases, keys: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Stage]]:
    """All services on empty databases, with a market whose seed is known."""
    cheap = {"ARGON2_TIME_COST": "1", "ARGON2_MEMORY_KIB": "8", "MARKET_SEED": str(SEED)}
    for name, value in {**keys, **cheap}.items():
        monkeypatch.setenv(name, value)
    passwords._hasher.cache_clear()

    def fresh() -> Stage:
        databases.empty()
        # What is remembered of an event by its id is of the day before.
        worlds._parsed.clear()
        return Stage(World(databases), seed=SEED)

    yield fresh
    worlds._parsed.clear()
    databases.empty()
    passwords._hasher.cache_clear()


@pytest.fixture
def day(stage: Callable[[], Stage], tmp_path: Path) -> Callable[[int], dict[str, int]]:
    """Does a day twice, the second time from its log; what came of it."""

    def run(trades: int) -> dict[str, int]:
        begun = time.monotonic()
        first = stage()
        log = Log(first)
        Trading(log, seed=SEED, trades=trades).day()
        took, found, counts = time.monotonic() - begun, digests(first.world), results(first.world)
        assert first.world.violations() == []
        db, later = first.world.databases.get("trades"), log.now + timedelta(hours=2)
        checked, wrong = wrong_proofs(db, now=later, limit=100)
        assert (checked, wrong) == (100, {})
        written = tmp_path / "day.jsonl"
        written.write_text(log.lines())
        begun = time.monotonic()
        again = stage()
        with written.open() as lines:
            replay(lines, again)
        assert digests(again.world) == found
        print(f"\n{counts}\nfirst {took:.1f} s, again {time.monotonic() - begun:.1f} s, {len(log.entries)} entries")
        print("\n".join(f"{table} {digest}" for table, digest in found.items()))
        return counts

    return run


def results(world: World) -> dict[str, int]:
    (row,) = world.rows("trades", _RESULTS)
    return dict(zip(_NAMES, row, strict=True))


def full(counts: dict[str, int]) -> None:
    """There was enough of everything to prove something."""
    assert counts.pop("unfinished") == 0
    assert counts.pop("kinds") == 20
    counts.pop("rejected")
    assert min(counts["won"], counts["lost"]) > counts["trades"] // 5
    assert min(counts.values()) > 0, counts


@pytest.mark.timeout(300)
def test_a_day_of_500_trades_is_the_same_when_it_is_done_again_from_its_log(day: Any) -> None:
    counts = day(500)
    full(counts)


@pytest.mark.timeout(300)
def test_so_is_a_day_on_which_the_market_fails(day: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MARKET_FAULTS", FAULTS)
    full(day(300))


@pytest.mark.long
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("faults", ["", FAULTS], ids=["nothing fails", "the market fails"])
def test_so_is_a_day_of_20_000_trades(day: Any, monkeypatch: pytest.MonkeyPatch, faults: str) -> None:
    monkeypatch.setenv("MARKET_FAULTS", faults)
    full(day(20_000))
