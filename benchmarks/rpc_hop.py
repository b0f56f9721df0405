"""What one RPC hop costs in CPU, beside the least that the same broker can be asked to do.

    NEXUS_BENCH_AMQP=amqp://admin:…@host:port/vhost python benchmarks/rpc_hop.py [--repeats 3]

The user must be allowed to declare. Prints calls per second and CPU milliseconds per call of client, server and
broker (utime + stime, medians), with --json for programs. "raw" is an echo in plain kombu or aiormq without
deadlines, context, validation or strict JSON; "chassis" is a validated `@rpc` method called with a full context and
a deadline.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from statistics import median
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psutil

URL = os.environ.get("NEXUS_BENCH_AMQP", "amqp://guest:guest@127.0.0.1:5672//")
BODY = {"note": "x" * 100, "symbol": "R_100", "stake": "12.50", "attempt": 1}
RAW = json.dumps({"args": [], "kwargs": BODY}).encode()
CALLS = {1: 1500, 32: 6000}


@dataclass(frozen=True)
class Result:
    rate: float
    client: float
    server: float
    broker: float

    @property
    def total(self) -> float:
        return self.client + self.server + self.broker


def declare() -> None:
    """The exchange and the request queues, as the topology step makes them."""
    import kombu  # each role loads only what it measures

    with kombu.Connection(URL) as connection:
        channel = connection.default_channel
        channel.exchange_declare("nameko-rpc", "topic", durable=True, auto_delete=False)
        for name in ("bench", "front", "raw"):
            channel.queue_declare(f"rpc-{name}", durable=True, auto_delete=False)
            channel.queue_bind(f"rpc-{name}", "nameko-rpc", f"{name}.*")
            channel.queue_purge(f"rpc-{name}")


def serve_chassis(name: str) -> None:
    """A service under the real runner, in this process."""
    os.environ[f"{name.upper()}_AMQP_URL"] = URL
    from shared.chassis.runner import run

    run(f"rpc_hop_services:{name.capitalize()}")


def serve_kombu(_: str) -> None:
    """Echo in plain kombu: decode, encode, publish on the same channel, acknowledge."""
    import kombu

    with kombu.Connection(URL) as connection:
        channel = connection.default_channel
        channel.basic_qos(0, 100, False)

        def echo(message: Any) -> None:
            body = json.dumps({"result": json.loads(message.body)["kwargs"], "error": None})
            reply = kombu.transport.pyamqp.amqp.Message(
                body, content_type="application/json", correlation_id=message.properties["correlation_id"]
            )
            channel.basic_publish(reply, "nameko-rpc", message.properties["reply_to"])
            channel.basic_ack(message.delivery_tag)

        channel.basic_consume("rpc-raw", callback=echo)
        print("READY", flush=True)
        while True:
            connection.drain_events()


def serve_aiormq(_: str) -> None:
    """The same in plain aiormq."""
    import aiormq
    from pamqp.commands import Basic

    async def main() -> None:
        connection = await aiormq.connect(URL)
        channel = await connection.channel(publisher_confirms=False)
        await channel.basic_qos(prefetch_count=100)

        async def echo(message: Any) -> None:
            asked = message.header.properties
            body = json.dumps({"result": json.loads(message.body)["kwargs"], "error": None}).encode()
            properties = Basic.Properties(correlation_id=asked.correlation_id, delivery_mode=1)
            await channel.basic_publish(
                body, exchange="nameko-rpc", routing_key=asked.reply_to, properties=properties, wait=False
            )
            await channel.basic_ack(message.delivery.delivery_tag, wait=False)

        await channel.basic_consume("rpc-raw", echo)
        print("READY", flush=True)
        await asyncio.Event().wait()

    asyncio.run(main())


def call_kombu(calls: int, width: int) -> None:
    """A caller in plain kombu that keeps `width` calls under way."""
    import kombu

    with kombu.Connection(URL) as connection:
        channel = connection.default_channel
        key = str(uuid4())
        channel.queue_declare(key, exclusive=True)
        channel.queue_bind(key, "nameko-rpc", key)
        sent = received = 0

        def publish() -> None:
            nonlocal sent
            sent += 1
            message = kombu.transport.pyamqp.amqp.Message(
                RAW, content_type="application/json", correlation_id=uuid4().hex, reply_to=key, delivery_mode=1
            )
            channel.basic_publish(message, "nameko-rpc", "raw.echo")

        def on_reply(message: Any) -> None:
            nonlocal received
            received += 1
            assert json.loads(message.body)["error"] is None
            if sent < calls:
                publish()

        channel.basic_consume(key, callback=on_reply, no_ack=True)
        for _ in range(width):
            publish()
        while received < calls:
            connection.drain_events()


async def call_aiormq(calls: int, width: int) -> None:
    """A caller in plain aiormq, without confirms."""
    import aiormq
    from pamqp.commands import Basic

    connection = await aiormq.connect(URL)
    channel = await connection.channel(publisher_confirms=False)
    key, waiting = str(uuid4()), {}
    await channel.queue_declare(key, exclusive=True)
    await channel.queue_bind(key, "nameko-rpc", key)

    async def on_reply(message: Any) -> None:
        waiting.pop(message.header.properties.correlation_id).set_result(message.body)

    async def call() -> None:
        call_id = uuid4().hex
        waiting[call_id] = reply = asyncio.get_running_loop().create_future()
        properties = Basic.Properties(
            correlation_id=call_id, message_id=call_id, reply_to=key, content_type="application/json", delivery_mode=1
        )
        await channel.basic_publish(
            RAW, exchange="nameko-rpc", routing_key="raw.echo", properties=properties, wait=False
        )
        assert json.loads(await reply)["error"] is None

    await channel.basic_consume(key, on_reply, no_ack=True)
    await _spread(call, calls, width)
    await connection.close()


async def call_gateway(calls: int, width: int) -> None:
    """The gateway's client: confirms, deadline and a full context."""
    from shared.chassis.rpc.aio import AsyncRpc

    rpc = AsyncRpc(URL)
    await rpc.start(wait=5)

    context = _context()

    async def call() -> None:
        assert (await rpc.call("bench", "echo", BODY, ctx=context))["attempt"] == 1

    await _spread(call, calls, width)
    await rpc.close()


async def call_through_service(calls: int, width: int) -> None:
    """Asks the service `front` to call `bench` that often."""
    from shared.chassis.rpc.aio import AsyncRpc

    rpc = AsyncRpc(URL)
    await rpc.start(wait=5)
    answer = await rpc.call("front", "drive", {"calls": calls, "width": width}, ctx=_context(), timeout=120)
    assert answer == {"good": calls}
    await rpc.close()


def _context() -> Any:
    from shared.chassis.context import Context

    return Context(
        user_id=str(uuid4()),
        roles=("client",),
        kind="user",
        session_id=str(uuid4()),
        ip="192.0.2.7",
        user_agent="Mozilla/5.0 (X11; Linux x86_64)",
        request_id=str(uuid4()),
    )


async def _spread(call: Callable[[], Awaitable[None]], calls: int, width: int) -> None:
    async def worker() -> None:
        for _ in range(calls // width):
            await call()

    await asyncio.gather(*(worker() for _ in range(width)))


def cpu(process: psutil.Process) -> float:
    """User and system seconds so far."""
    times = process.cpu_times()
    return float(times.user + times.system)


def find_broker() -> psutil.Process:
    """The Erlang machine that listens on the broker's port."""
    port = urlsplit(URL).port or 5672
    for connection in psutil.net_connections("tcp"):
        if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid:
            return psutil.Process(connection.pid)
    raise SystemExit("the broker must run on this machine")


@contextmanager
def server(role: str, name: str) -> Iterator[psutil.Process]:
    """A server in a process of its own, ready to answer."""
    arguments = [sys.executable, "-W", "ignore", __file__, "--serve", role, name]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        try:
            assert process.stdout is not None
            assert b"READY" in process.stdout.readline(), f"{role} did not start"
            yield psutil.Process(process.pid)
        finally:
            process.kill()


def measure(client: str, width: int, served: psutil.Process, driver: psutil.Process | None) -> Result:
    """One run of `client` in a process of its own; `driver` is the process that calls, if it is not that one."""
    broker = find_broker()
    arguments = [sys.executable, "-W", "ignore", __file__, "--call", client, str(width)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, stdin=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        assert b"WARM" in process.stdout.readline()
        caller = driver or psutil.Process(process.pid)
        before, begun = (cpu(caller), cpu(served), cpu(broker)), time.perf_counter()
        process.stdin.write(b"go\n")
        process.stdin.flush()
        assert b"DONE" in process.stdout.readline()
        took, after = time.perf_counter() - begun, (cpu(caller), cpu(served), cpu(broker))
        process.stdin.close()
    calls = CALLS[width]
    client_ms, server_ms, broker_ms = ((b - a) * 1000 / calls for a, b in zip(before, after, strict=True))
    return Result(calls / took, client_ms, server_ms, broker_ms)


CLIENTS: dict[str, Callable[[int, int], Any]] = {
    "kombu": call_kombu,
    "aiormq": call_aiormq,
    "gateway": call_gateway,
    "service": call_through_service,
}
SERVERS: dict[str, Callable[[str], None]] = {"chassis": serve_chassis, "kombu": serve_kombu, "aiormq": serve_aiormq}
PAIRS = [
    ("raw kombu <- raw kombu", "kombu", "raw", "kombu"),
    ("raw kombu <- raw aiormq", "kombu", "raw", "aiormq"),
    ("raw aiormq <- raw aiormq", "aiormq", "raw", "aiormq"),
    ("chassis <- gateway", "chassis", "bench", "gateway"),
    ("chassis <- chassis", "chassis", "bench", "service"),
]


def run_client(name: str, width: int) -> None:
    """Warms up, waits for the word, calls."""

    def work(calls: int) -> None:
        result = CLIENTS[name](calls, width)
        if result is not None:
            asyncio.run(result)

    work(10 * width)
    print("WARM", flush=True)
    sys.stdin.readline()
    work(CALLS[width])
    print("DONE", flush=True)
    sys.stdin.read()


def main() -> None:
    """Runs all pairs, interleaved, and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--call", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        return SERVERS[options.serve[0]](options.serve[1])
    if options.call:
        return run_client(options.call[0], int(options.call[1]))
    declare()
    results: dict[tuple[str, int], list[Result]] = {}
    for _ in range(options.repeats):
        for title, role, name, client in PAIRS:
            if options.only not in title:
                continue
            with server(role, name) as served:
                for width in CALLS:
                    if client == "service":
                        with server("chassis", "front") as front:
                            result = measure(client, width, served, front)
                    else:
                        result = measure(client, width, served, None)
                    results.setdefault((title, width), []).append(result)
    names = ("rate", "client", "server", "broker", "total")
    rows = [
        (title, width, *(median(getattr(run, name) for run in runs) for name in names))
        for (title, width), runs in results.items()
    ]
    if options.json:
        keys = ("hop", "width", "calls_per_s", "client_ms", "server_ms", "broker_ms", "sum_ms")
        print(json.dumps([dict(zip(keys, row, strict=True)) for row in rows], indent=2))
        return None
    print("| server <- client | c | calls/s | client | server | broker | sum ms CPU |\n|---|---|---|---|---|---|---|")
    for title, width, rate, *costs in rows:
        print(f"| {title} | {width} | {rate:.0f} | {' | '.join(f'{cost:.3f}' for cost in costs)} |")
    return None


if __name__ == "__main__":
    main()
