"""`kill -9` of each process in turn, under load: all is back within 30 s and nothing promised is lost."""

from __future__ import annotations

import os
import signal
import time

import pytest

from client.http import Http
from shared.chassis.testing import eventually
from tests.flows.driver import Stack, Trader
from tests.flows.load import Load, truth

RECOVERY_SECONDS = 30
TRADERS = 4


def processes(stack: Stack) -> dict[str, int]:
    return {p["name"]: p["pid"] for p in stack.status()["processes"] if p["kind"] != "supervisor"}


def all_healthy(stack: Stack, killed: str, pid: int) -> bool:
    found = stack.status()
    revived = next(p for p in found["processes"] if p["name"] == killed)
    return bool(found["ready"] and all(p["healthy"] for p in found["processes"]) and revived["pid"] != pid)


@pytest.mark.timeout(600)
def test_each_process_may_be_killed_under_load(stack: Stack, http: Http) -> None:
    traders = [Trader.register(http) for _ in range(TRADERS)]
    recoveries: dict[str, float] = {}
    with Load(traders) as load:
        for name in sorted(processes(stack)):
            before = load.opened()
            eventually(lambda before=before: load.opened() >= before + 5, timeout=30)
            pid = processes(stack)[name]
            os.kill(pid, signal.SIGKILL)
            killed_at = time.monotonic()
            eventually(lambda name=name, pid=pid: all_healthy(stack, name, pid), timeout=RECOVERY_SECONDS, every=0.5)
            recoveries[name] = time.monotonic() - killed_at
    assert set(recoveries) >= {"users", "billing", "trades", "relay", "gateway-1", "rabbitmq", "postgres"}
    print({name: round(seconds, 1) for name, seconds in recoveries.items()})

    for trader, journal in zip(traders, load.journals, strict=True):
        assert journal.strange == []
        for trade_id in journal.promised.values():
            assert trader.trade(trade_id)["status"] in {"OPEN", "WON", "LOST"}
        for key in journal.unknown:
            answer = truth(trader, trader.terms(stake="0.50", seconds=1), key)
            assert answer.status in {201, 409}, answer
        eventually(lambda trader=trader: trader.account()["balance"] == trader.account()["available"], timeout=60)
    assert stack.verify()["violations"] == []
