"""The proof of a trade: from the moment when its seeds are revealed, and right in the eyes of who only has the file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from shared.chassis.context import Context, Idempotency, use
from shared.chassis.database import Database
from shared.contracts.errors import Unauthorized
from shared.contracts.trades.errors import NoProof, ProofNotReady, TradeNotFound
from shared.contracts.trades.rpc import GetProofRequest, ProofView, SellTradeRequest
from shared.utils.ids import new_id
from shared.utils.time import from_rfc3339, to_rfc3339
from trades.commands.get_proof import get_proof
from trades.commands.sell_trade import sell_trade
from trades.market import verifier
from trades.market.builtin import BuiltinMarket
from trades.market.pricing import Pricing
from trades.market.proved import wrong_proofs

HOUR = timedelta(hours=1)


@pytest.fixture
def proof(desk):
    def ask(context, trade_id) -> ProofView:
        with use(context):
            return get_proof(GetProofRequest(trade_id=trade_id), db=desk.db)

    return ask


@pytest.fixture
def sell(desk):
    def ask(trader, trade_id):
        idempotency = Idempotency(new_id(), "POST /trades/{id}/sell", trade_id)
        with use(replace(trader.context, idempotency=idempotency)):
            return sell_trade(SellTradeRequest(trade_id=trade_id), db=desk.db, market=desk.market)["trade"]

    return ask


@pytest.fixture
def trader(desk, clock):
    """In the third hour of the market, so that a proof has the hour before."""
    for _ in range(2):
        clock.go(3600)
        desk.market.prepare(now=clock.now)
    return desk.trader()


def settled(desk, clock, trader, **terms):
    trade = desk.open(trader, **terms)
    clock.now = max(clock.now, from_rfc3339(trade["expires_at"]))
    desk.settle()
    return desk.row(trade["id"])


def reveal(clock):
    clock.now = clock.now.replace(minute=0, second=0, microsecond=0) + HOUR


@pytest.mark.parametrize(
    "terms",
    [
        {},
        {"contract_type": "PUTE", "duration": 1, "duration_unit": "m"},
        {"barrier": "+0.37", "duration": 20, "duration_unit": "s"},
        {"contract_type": "PUT", "barrier": "1490.00", "duration": 70, "duration_unit": "m"},
        {"symbol": "1HZ100V", "duration": 1, "duration_unit": "h", "stake": None, "payout": "20.00"},
    ],
)
def test_a_trade_is_proved_by_its_file_alone(desk, clock, trader, proof, terms):
    row = settled(desk, clock, trader, **terms)
    reveal(clock)
    found = json.loads(json.dumps(proof(trader.context, row["id"])))
    assert set(found) == set(ProofView.__annotations__)
    assert verifier.verify(found) == ([], [])
    assert found["settlement"]["result"] == row["status"].lower()
    assert found["contract"]["contract_id"] == row["contract_id"]
    assert len(found["hours"]) >= 2
    found["settlement"]["paid"] = "0.00" if row["payout"] else found["contract"]["payout"]
    assert verifier.verify(found)[0] != []


def test_a_sale_is_proved_with_the_commission_of_its_day(desk, clock, trader, proof, sell):
    dear = Pricing(commission=Decimal("0.030"))
    desk.through(lambda db, hours, **_: BuiltinMarket(db, hours, pricing=dear))
    trade = desk.open(trader, duration=30, duration_unit="m")
    clock.go(100)
    sold = sell(trader, trade["id"])
    desk.through(BuiltinMarket)
    reveal(clock)
    found = json.loads(json.dumps(proof(trader.context, trade["id"])))
    assert (found["settlement"]["result"], found["settlement"]["paid"]) == ("sold", sold["payout"])
    assert found["settlement"]["commission"] == "0.030"
    assert verifier.verify(found) == ([], [])
    found["settlement"]["commission"] = "0.012"
    assert verifier.verify(found)[0] != []


def test_until_the_hour_is_over_it_says_when(desk, clock, trader, proof):
    trade = desk.open(trader, duration=2, duration_unit="m")
    ready_at = to_rfc3339(clock.now.replace(minute=0, second=0, microsecond=0) + HOUR)
    with pytest.raises(ProofNotReady) as refused:
        proof(trader.context, trade["id"])
    assert refused.value.extra == {"available_at": ready_at}
    clock.go(200)
    desk.settle()
    reveal(clock)
    clock.go(-0.000001)
    with pytest.raises(ProofNotReady) as refused:
        proof(trader.context, trade["id"])
    assert refused.value.extra == {"available_at": ready_at}
    clock.go(0.000001)
    assert proof(trader.context, trade["id"])["settlement"]["result"] in ("won", "lost")


def test_an_expired_trade_that_is_not_settled_yet_has_none(desk, clock, trader, proof):
    trade = desk.open(trader)
    clock.go(2 * 3600)
    desk.market.prepare(now=clock.now)
    with pytest.raises(ProofNotReady):
        proof(trader.context, trade["id"])


def test_what_the_market_did_not_decide_has_no_proof(desk, clock, trader, proof):
    by_hand, undone, pending = desk.open(trader)["id"], desk.open(trader)["id"], desk.pending(trader)
    desk.close(by_hand, "0")
    desk.void(undone)
    reveal(clock)
    for trade_id in (by_hand, undone, pending):
        with pytest.raises(NoProof):
            proof(trader.context, trade_id)


def test_a_trade_that_was_voided_later_keeps_the_proof_of_its_result(desk, clock, trader, proof):
    row = settled(desk, clock, trader)
    desk.void(row["id"])
    reveal(clock)
    found = json.loads(json.dumps(proof(trader.context, row["id"])))
    assert found["settlement"]["result"] == row["status"].lower()
    assert verifier.verify(found) == ([], [])


def test_it_is_for_the_owner_and_staff(desk, clock, trader, proof):
    row = settled(desk, clock, trader)
    reveal(clock)
    staff = Context(kind="staff", user_id="01920000-0000-7000-8000-000000000009")
    assert proof(staff, row["id"]) == proof(trader.context, row["id"])
    with pytest.raises(TradeNotFound):
        proof(desk.trader().context, row["id"])
    with pytest.raises(TradeNotFound):
        proof(trader.context, new_id())
    with pytest.raises(Unauthorized):
        proof(Context(), row["id"])


def test_samples_are_the_newest_trades_whose_hours_are_over(desk, clock, trader, sell):
    old = [settled(desk, clock, trader)["id"] for _ in range(3)]
    sold = desk.open(trader, duration=10, duration_unit="m")["id"]
    clock.go(30)
    sell(trader, sold)
    by_hand = desk.open(trader)["id"]
    desk.close(by_hand, "0")
    assert wrong_proofs(desk.db, now=clock.now, limit=9) == (0, {})
    reveal(clock)
    settled(desk, clock, trader)
    assert wrong_proofs(desk.db, now=clock.now, limit=9) == (4, {})
    assert wrong_proofs(desk.db, now=clock.now, limit=2) == (2, {})
    desk.tamper("UPDATE trades SET exit_spot = exit_spot + 0.01 WHERE id = %s", old[0])
    desk.tamper("UPDATE trades SET payout = payout + 1, profit = profit + 1 WHERE id = %s", sold)
    checked, wrong = wrong_proofs(desk.db, now=clock.now, limit=9)
    assert checked == 4
    assert wrong.keys() == {old[0], sold}
    assert "the price was" in wrong[old[0]]
    assert "It was worth" in wrong[sold]


def test_who_may_only_read_can_take_samples(desk, clock, trader, databases):
    settled(desk, clock, trader)
    reveal(clock)
    reader = Database(databases.url("trades", "nexus_verify"))
    assert wrong_proofs(reader, now=clock.now, limit=9) == (1, {})
    reader.close()


def test_a_seed_that_was_changed_afterwards_is_found(desk, clock, trader):
    row = settled(desk, clock, trader)
    reveal(clock)
    desk.tamper("ALTER TABLE market_hours DISABLE TRIGGER ALL")
    desk.tamper("UPDATE market_hours SET seed = sha256(seed), commitment = sha256(sha256(seed))")
    checked, wrong = wrong_proofs(desk.db, now=clock.now, limit=9)
    assert (checked, wrong.keys()) == (1, {row["id"]})
    desk.tamper("DELETE FROM market_levels")
    assert wrong_proofs(desk.db, now=clock.now, limit=9)[1][row["id"]].startswith("a proof needs the hours")
