"""Compares what clients were promised with what is there when everything has come to rest."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from client.http import NoAnswer
from client.person import ENDED, Person
from client.traffic import FIRST_DEPOSIT, MARKUP_PERCENT, REFERRAL_PERCENT, Trader, Traffic

DEMO_OPENING = Decimal("10000.00")
_REST_SECONDS = 60.0


def reckon(traffic: Traffic, affiliates: Sequence[Person]) -> list[str]:
    """What does not agree, as sentences; empty when every promise was kept to the cent."""
    found: list[str] = []
    trades: dict[str, dict[str, Any]] = {}
    for trader in traffic.traders:
        found += trader.journal.strange
        try:
            traffic.settle_unknown(trader)
        except NoAnswer as error:
            found.append(str(error))
        _end_long_ones(trader, traffic.staff)
    for trader in traffic.traders:
        mine = _at_rest(trader)
        trades |= mine
        found += _trades(trader, mine)
        found += _money(trader, mine)
    for affiliate in affiliates:
        found += _earnings(affiliate, [t for t in traffic.traders if t.affiliate is affiliate], trades.values())
    return found


def _end_long_ones(trader: Trader, staff: Person) -> None:
    """Trades that would run for an hour, since the request that was to end them was refused or never made."""
    for trade in trader.person.all("/trades?status=OPEN"):
        if trade["duration_seconds"] > 60:
            staff.do("POST", f"/trades/{trade['id']}/void", {"reason": "end of the run"})


def _at_rest(trader: Trader) -> dict[str, dict[str, Any]]:
    """All trades, once each has ended and nothing is held any more, or after a while as they are."""
    until = time.monotonic() + _REST_SECONDS
    while True:
        found = {trade["id"]: trade for trade in trader.person.all("/trades")}
        accounts = [trader.person.account(account_id) for account_id in (trader.demo, trader.real)]
        quiet = all(account["balance"] == account["available"] for account in accounts)
        if (quiet and all(trade["status"] in ENDED for trade in found.values())) or time.monotonic() > until:
            return found
        time.sleep(0.25)


def _trades(trader: Trader, trades: dict[str, dict[str, Any]]) -> Iterator[str]:
    promised = Counter(body["id"] for _, body in trader.journal.of("open"))
    for trade_id, times in promised.items():
        if times > 1:
            yield f"trade {trade_id} answers {times} different keys"
        if trade_id not in trades:
            yield f"trade {trade_id} was promised and is not there"
        elif trades[trade_id]["status"] not in ENDED:
            yield f"trade {trade_id} never ended: {trades[trade_id]['status']}"
    for trade_id in trades.keys() - promised.keys():
        yield f"trade {trade_id} is there and nobody was told of it"
    voided = {body["id"] for _, body in trader.journal.of("void")}
    for trade_id in voided:
        if trades.get(trade_id, {}).get("status") != "CANCELLED":
            yield f"trade {trade_id} was voided and is {trades.get(trade_id, {}).get('status')}"
    for request, body in trader.journal.of("close"):
        trade = trades.get(body["id"], {})
        if trade.get("status") != "CANCELLED" and trade.get("payout") != request.body["payout"]:
            yield f"trade {body['id']} was closed at {request.body['payout']} and has {trade.get('payout')}"


def _money(trader: Trader, trades: dict[str, dict[str, Any]]) -> Iterator[str]:
    lines = [line for line in trader.person.all("/transactions") if line["status"] == "COMPLETED"]
    deposits = Counter(line["id"] for line in lines if line["tx_type"] == "DEPOSIT")
    for _, body in trader.journal.of("complete"):
        if deposits[body["id"]] != 1:
            yield f"deposit {body['id']} was completed and shows {deposits[body['id']]} times"
    for account_id, opening in ((trader.demo, DEMO_OPENING), (trader.real, Decimal(FIRST_DEPOSIT))):
        account = trader.person.account(account_id)
        paid_in = sum(
            Decimal(body["amount"]) for r, body in trader.journal.of("complete") if r.account_id == account_id
        )
        profits = sum(Decimal(t["profit"] or 0) for t in trades.values() if t["account_id"] == account_id)
        expected = opening + paid_in + profits
        if Decimal(account["balance"]) != expected or account["available"] != account["balance"]:
            has = f"{account['balance']}, {account['available']} of it free"
            yield f"account {account_id} should hold {expected} and has {has}"
        total = sum(Decimal(line["amount"]) for line in lines if line["account_id"] == account_id)
        if total != Decimal(account["balance"]):
            yield f"the lines of account {account_id} sum up to {total}, its balance is {account['balance']}"


def _earnings(affiliate: Person, brought: Sequence[Trader], trades: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Markups of settled REAL trades and shares of first deposits: waits for them, then says what is missing."""
    payers = {trader.person.user_id for trader in brought}
    real = [t for t in trades if t["account_type"] == "REAL" and t["user_id"] in payers]
    markups = sum(Decimal(t["markup_applied"]) for t in real if t["status"] in ENDED - {"CANCELLED"})
    expected = markups + len(brought) * Decimal(FIRST_DEPOSIT) * REFERRAL_PERCENT / 100
    until = time.monotonic() + _REST_SECONDS
    while True:
        earned = sum(Decimal(line["amount"]) for line in affiliate.all("/transactions?tx_type=COMMISSION"))
        if earned == expected:
            break
        if time.monotonic() > until:
            yield f"affiliate {affiliate.user_id} should have earned {expected} and has {earned}"
            return
        time.sleep(0.25)
    for trade in real:
        if Decimal(trade["markup_percent"]) != MARKUP_PERCENT:
            yield f"trade {trade['id']} has a markup of {trade['markup_percent']} %, the rule says {MARKUP_PERCENT} %"
