"""The two services of `rpc_hop.py`; eventlet has been patched in by the time this is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import eventlet
from nameko.extensions import DependencyProvider

from shared.chassis.context import current, use
from shared.chassis.rpc.client import RpcTo
from shared.chassis.rpc.server import rpc


@dataclass(frozen=True, kw_only=True)
class Echo:
    note: str
    symbol: str
    stake: str
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Drive:
    calls: int
    width: int


class Announce(DependencyProvider):
    """Says when the service is up."""

    def start(self) -> None:
        eventlet.spawn_after(0.5, print, "READY", flush=True)


class Bench:
    name = "bench"
    announce = Announce()

    @rpc(Echo)
    def echo(self, request: Echo) -> dict[str, Any]:
        return {
            "note": request.note,
            "symbol": request.symbol,
            "stake": request.stake,
            "attempt": request.attempt,
        }


class Front:
    name = "front"
    announce = Announce()
    bench = RpcTo("bench")

    @rpc(Drive)
    def drive(self, request: Drive) -> dict[str, Any]:
        context = current()
        pool = eventlet.GreenPool(request.width)

        def work() -> int:
            with use(context):
                share = request.calls // request.width
                return sum(
                    self.bench.echo(note="x" * 100, symbol="R_100", stake="12.50", attempt=1)["attempt"]
                    for _ in range(share)
                )

        threads = [pool.spawn(work) for _ in range(request.width)]
        return {"good": sum(thread.wait() for thread in threads) + request.calls % request.width}
