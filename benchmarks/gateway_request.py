"""What the gateway adds to a request: its CPU for a trade that a service answers at once, beside a bare route.

    NEXUS_TEST_AMQP=… NEXUS_TEST_API=… .venv/bin/python benchmarks/gateway_request.py [--seconds 5] [--clients 8]

Both are one uvicorn worker with the same settings. The bare one answers the same bytes from a Starlette route; the
gateway checks the token, limits, validates, asks the service over the broker, and logs. CPU is that of the worker
process alone; what its part of the call costs is in `rpc_hop.py`. Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(p) for p in (ROOT, ROOT / "gateway", *sorted((ROOT / "services").glob("*")))]

import jwt  # noqa: E402  (needs the path above)

from benchmarks.bench.processes import Meter  # noqa: E402
from benchmarks.bench.wire import Broken, Wire, request  # noqa: E402
from shared.devstack.environment import PYTHON_PATH  # noqa: E402
from shared.devstack.keys import make_key_pair  # noqa: E402
from shared.devstack.state import free_ports  # noqa: E402
from shared.utils.ids import new_id  # noqa: E402

TRADE = {
    "id": new_id(),
    "user_id": new_id(),
    "account_id": new_id(),
    "symbol": "1HZ100V",
    "stake": "10.00",
    "currency": "USD",
    "status": "OPEN",
    "potential_payout": "19.50",
    "created_at": "2026-01-01T00:00:00.000000Z",
}


def serve_bare(port: int) -> None:
    """The least that Starlette can be asked to do."""
    import uvicorn
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    body = json.dumps(TRADE).encode()

    async def trade(_: Request) -> Response:
        return Response(body, media_type="application/json")

    app = Starlette(routes=[Route("/api/v1/trades/{trade_id}", trade)])
    uvicorn.run(app, host="127.0.0.1", port=port, loop="uvloop", http="httptools", access_log=False, log_level="error")


def token(folder: Path) -> str:
    """Makes a pair of keys, and signs for somebody."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    make_key_pair(folder / "private.pem", folder / "public")
    key: Any = load_pem_private_key((folder / "private.pem").read_bytes(), None)
    now = int(time.time())
    claims = {
        "iss": "nexus",
        "aud": "nexus-api",
        "sub": TRADE["user_id"],
        "sid": new_id(),
        "roles": [],
        "jti": new_id(),
    }
    kid = next((folder / "public").glob("*.pem")).stem
    times = {"iat": now, "nbf": now, "exp": now + 3600}
    return jwt.encode(claims | times, key, algorithm="EdDSA", headers={"kid": kid, "typ": "at+jwt"})


@contextmanager
def process(command: list[str], env: dict[str, str], log: Path) -> Iterator[int]:
    """A server of ours; its pid."""
    with log.open("wb") as output:
        running = subprocess.Popen(command, env=env, stdout=output, stderr=output)
    try:
        yield running.pid
    finally:
        running.terminate()
        running.wait(20)


async def cost(port: int, pid: int, raw: bytes, *, clients: int, seconds: float) -> float:
    """Milliseconds of CPU of the process `pid` for each request."""
    wire, until = Wire(port), time.monotonic() + 30
    while True:
        try:
            if (await wire.send(raw))[0] == 200:
                break
        except Broken:
            pass
        assert time.monotonic() < until, f"nothing answers on {port}"
        await asyncio.sleep(0.1)
    count = 0

    async def client(end: float) -> None:
        nonlocal count
        while time.perf_counter() < end:
            status, _ = await wire.send(raw)
            assert status == 200
            count += 1

    await asyncio.gather(*(client(time.perf_counter() + 1) for _ in range(clients)))
    count = 0
    async with Meter({"worker": pid}) as meter:
        await asyncio.gather(*(client(time.perf_counter() + seconds) for _ in range(clients)))
    return 1000 * meter.used.cpu["worker"] / count


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seconds", type=float, default=5)
    options.add_argument("--clients", type=int, default=8)
    options.add_argument("--repeat", type=int, default=3)
    options.add_argument("--serve-bare", type=int, help=argparse.SUPPRESS)
    chosen = options.parse_args()
    if chosen.serve_bare:
        return serve_bare(chosen.serve_bare)
    from shared.chassis.testing.broker import Broker
    from shared.chassis.testing.processes import FakeService

    broker = Broker("gateway-request")
    broker.create()
    with ExitStack() as stack:
        stack.callback(broker.delete)
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        bearer, ports = token(folder), free_ports(2)
        for name, methods in (
            ("users", {"list_revocations": lambda: {"sessions": [], "frozen_user_ids": []}}),
            ("trades", {"get_trade": lambda **_: TRADE}),
        ):
            stack.callback(FakeService(broker.url(), name, methods).start().stop)
        settings = {
            "PYTHONPATH": PYTHON_PATH,
            "GATEWAY_AMQP_URL": broker.url("gateway"),
            "JWT_PUBLIC_KEYS_DIR": str(folder / "public"),
            "SECRET_KEY": "a secret of the benchmark",
            "HEALTH_DIR": str(folder),
            "NEXUS_ENV": "test",
        }
        bare = [sys.executable, __file__, "--serve-bare", str(ports[0])]
        gateway = [sys.executable, str(ROOT / "manage.py"), "gateway", "--port", str(ports[1])]
        pids = [
            stack.enter_context(process(command, {**os.environ, **settings}, folder / f"{number}.log"))
            for number, command in enumerate((bare, gateway))
        ]
        raw = request("GET", f"/trades/{TRADE['id']}", bearer=bearer)
        costs: tuple[list[float], list[float]] = ([], [])
        for _ in range(chosen.repeat):
            for found, port, pid in zip(costs, ports, pids, strict=True):
                found.append(asyncio.run(cost(port, pid, raw, clients=chosen.clients, seconds=chosen.seconds)))
    bare_ms, gateway_ms = (round(statistics.median(found), 3) for found in costs)
    print(json.dumps({"bare_ms": bare_ms, "gateway_ms": gateway_ms, "clients": chosen.clients}, indent=2))
    return None


if __name__ == "__main__":
    main()
