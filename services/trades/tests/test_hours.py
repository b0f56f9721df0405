"""The market's hours: made ahead, chained, the same in every process, and secret."""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from datetime import timedelta

import pytest

from shared.chassis import wire
from shared.contracts.errors import NotReady
from shared.settings.env import EnvConfig, SettingError
from shared.utils.time import to_rfc3339
from trades.market.engine import HOUR, hour_of
from trades.market.hours import Hours, random_seed, seed_of, seeds_of
from trades.market.port import Terms

REPRODUCE = """
import sys
from decimal import Decimal
from shared.chassis.database import Database
from shared.utils.time import from_rfc3339
from trades.market.builtin import BuiltinMarket
from trades.market.hours import Hours
market = BuiltinMarket(Database(sys.argv[1]), Hours(), commission=Decimal("0.012"))
now = from_rfc3339(sys.argv[2])
print(*[market.spot(symbol, at=from_rfc3339(at), now=now) for at in sys.argv[3:] for symbol in market.symbols()])
"""


@pytest.fixture
def hours(desk):
    """Nothing made yet, random seeds."""
    desk.rows("TRUNCATE market_hours, market_levels")
    desk.hours = Hours()
    return desk.hours


def test_the_present_hour_and_the_next_are_always_there(desk, hours, clock):
    hours.prepare(desk.db, now=clock.now)
    present = hour_of(clock.now)
    assert desk.rows("SELECT hour FROM market_hours ORDER BY hour") == [(present,), (present + 1,)]
    clock.go(HOUR)
    hours.prepare(desk.db, now=clock.now)
    assert desk.rows("SELECT max(hour) FROM market_hours") == [(present + 2,)]
    assert desk.rows("SELECT count(*) FROM market_levels") == [(9,)]


def test_the_hours_of_a_pause_are_made_up_and_chained(desk, hours, clock):
    hours.prepare(desk.db, now=clock.now)
    clock.go(100 * HOUR)
    desk.market.spot("R_100", at=clock.now - timedelta(hours=37), now=clock.now)
    assert desk.rows("SELECT count(*), max(hour) - min(hour) FROM market_hours") == [(102, 101)]
    assert desk.violations() == {}


def test_processes_that_need_the_same_hour_at_once_make_it_once(desk, hours, clock, at_once):
    made = [Hours() for _ in range(12)]
    at_once(*[lambda one=one: one.prepare(desk.db, now=clock.now) for one in made])
    assert desk.rows("SELECT count(*) FROM market_hours") == [(2,)]
    hour = hour_of(clock.now)
    prices = {one.paths(desk.db, hour, now=clock.now)["R_100"].price(1000) for one in made}
    assert len(prices) == 1


def test_another_process_computes_the_same_prices(desk, hours, clock):
    hours.prepare(desk.db, now=clock.now)
    instants = [clock.now - timedelta(seconds=seconds) for seconds in (0, 1, 59, 600)]
    mine = [str(desk.market.spot(symbol, at=at, now=clock.now)) for at in instants for symbol in desk.market.symbols()]
    url = desk.db.url.render_as_string(hide_password=False)
    asked = [url, *map(to_rfc3339, [clock.now, *instants])]
    theirs = subprocess.run(
        [sys.executable, "-c", REPRODUCE, *asked],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert theirs.stdout.split() == mine


def test_the_price_of_an_instant_stays_and_needs_no_stream(desk, hours, clock):
    at = clock.now
    before = desk.market.spot("1HZ100V", at=at, now=clock.now)
    clock.go(5 * HOUR)
    desk.hours = Hours()
    assert desk.market.spot("1HZ100V", at=at, now=clock.now) == before


def test_a_commitment_is_the_hash_of_the_seed_and_seeds_are_random(desk, hours, clock):
    hours.prepare(desk.db, now=clock.now)
    rows = desk.rows("SELECT seed, commitment FROM market_hours")
    assert [hashlib.sha256(seed).digest() for seed, _ in rows] == [bytes(commitment) for _, commitment in rows]
    assert len({bytes(seed) for seed, _ in rows}) == 2
    assert random_seed(1) != random_seed(1)


def test_the_service_cannot_change_an_hour(desk, hours, clock):
    hours.prepare(desk.db, now=clock.now)
    rights = desk.rows(
        "SELECT has_table_privilege('trades', name, 'UPDATE') OR has_table_privilege('trades', name, 'DELETE')"
        " FROM unnest(ARRAY['market_hours', 'market_levels']) AS t (name)"
    )
    assert rights == [(False,), (False,)]


def test_nobody_learns_the_future(desk, hours, clock):
    trader = desk.trader()
    soon = clock.now + timedelta(microseconds=1)
    assert desk.market.spot("R_100", at=soon, now=clock.now) is None
    hours.prepare(desk.db, now=clock.now)
    with pytest.raises(NotReady):
        hours.paths(desk.db, hour_of(clock.now) + 2, now=clock.now)
    trade = desk.open(trader)
    clock.go(1.7)
    assert desk.open(trader, "the-same-key-0001")["entry_spot"] is None
    contract = desk.market.buy(reference=trade["id"], terms=_terms(), now=clock.now)
    assert desk.market.result(contract, now=contract.expires_at - timedelta(microseconds=1)) is None


def test_before_its_first_hour_the_market_has_no_price(desk, hours, clock):
    hours.prepare(desk.db, now=clock.now)
    clock.go(-2 * HOUR)
    with pytest.raises(NotReady):
        desk.quote(desk.trader())


def test_seeds_reach_no_answer_no_event_and_no_log(desk, hours, clock, caplog):
    caplog.set_level(logging.DEBUG)
    trader = desk.trader()
    trade = desk.open(trader)
    clock.go(30)
    desk.settle()
    shown = wire.dumps([desk.quote(trader), trade, desk.open(trader)]).decode()
    shown += str(desk.rows("SELECT payload FROM outbox")) + caplog.text
    shown += repr([hours, hours.paths(desk.db, hour_of(clock.now), now=clock.now), desk.market])
    for (seed,) in desk.rows("SELECT encode(seed, 'hex') FROM market_hours"):
        assert seed not in shown
        assert str(bytes.fromhex(seed)) not in shown


def test_a_fixed_seed_gives_the_same_market_and_is_refused_in_production(desk, hours, clock):
    assert seed_of("a")(1) == seed_of("a")(1) != seed_of("a")(2)
    assert seeds_of(EnvConfig({"NEXUS_ENV": "prod"}, dotenv=None)) is random_seed
    assert seeds_of(EnvConfig({"NEXUS_ENV": "test", "MARKET_SEED": "a"}, dotenv=None))(5) == seed_of("a")(5)
    with pytest.raises(SettingError):
        seeds_of(EnvConfig({"NEXUS_ENV": "prod", "MARKET_SEED": "a"}, dotenv=None))


def _terms():
    return Terms(symbol="R_100", contract_type="CALL", stake=1000, currency="USD", seconds=10, amount=5, unit="t")
