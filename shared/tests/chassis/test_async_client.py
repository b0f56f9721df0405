from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shared.chassis.context import Context
from shared.chassis.rpc.aio import AsyncRpc
from shared.contracts.errors import DeadlineExceeded, ServiceUnavailable

CTX = Context()


@asynccontextmanager
async def client(url: str, **options: int) -> AsyncIterator[AsyncRpc]:
    rpc = AsyncRpc(url, **options)
    await rpc.start(wait=5)
    try:
        yield rpc
    finally:
        await rpc.close()


def test_calls_run_side_by_side_on_one_connection(alpha, broker) -> None:
    async def main() -> list[str]:
        async with client(broker.url_of("gateway")) as rpc:
            waits = [
                rpc.call("alpha", "wait", {"mark": f"{n}", "milliseconds": 500}, ctx=CTX, timeout=5) for n in range(20)
            ]
            return [answer["mark"] for answer in await asyncio.gather(*waits)]

    begun = time.monotonic()
    assert asyncio.run(main()) == [f"{n}" for n in range(20)]
    assert time.monotonic() - begun < 3


def test_more_calls_than_allowed_are_refused_at_once(alpha, broker) -> None:
    async def main() -> list[object]:
        async with client(broker.url_of("gateway"), max_in_flight=3) as rpc:
            waits = [rpc.call("alpha", "wait", {"mark": "x", "milliseconds": 300}, ctx=CTX) for _ in range(5)]
            answers = await asyncio.gather(*waits, return_exceptions=True)
            assert await rpc.call("alpha", "echo", {"note": "room again"}, ctx=CTX)
            return answers

    answers = asyncio.run(main())
    assert [type(answer) for answer in answers].count(ServiceUnavailable) == 2
    assert [type(answer) for answer in answers].count(dict) == 3


def test_without_a_broker_calls_fail_at_once(broker) -> None:
    async def main() -> None:
        async with client("amqp://nobody:nothing@127.0.0.1:1/") as rpc:
            assert not rpc.connected
            with pytest.raises(ServiceUnavailable):
                await rpc.call("alpha", "echo", {"note": "x"}, ctx=CTX)

    begun = time.monotonic()
    asyncio.run(main())
    assert time.monotonic() - begun < 7


def test_closing_fails_what_waits_and_leaves_nothing_behind(alpha, broker) -> None:
    async def main() -> None:
        rpc = AsyncRpc(broker.url_of("gateway"))
        await rpc.start(wait=5)
        call = asyncio.create_task(rpc.call("alpha", "wait", {"mark": "x", "milliseconds": 3000}, ctx=CTX, timeout=9))
        await asyncio.sleep(0.1)
        await rpc.close()
        with pytest.raises(DeadlineExceeded):
            await asyncio.wait_for(call, 1)
        assert not rpc.connected
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_published_events_reach_the_listener_again_after_a_lost_connection(broker, caller, eventually) -> None:
    heard, bound = [], []

    async def hear(body: object) -> None:
        heard.append(body)
        raise RuntimeError("a failing listener does not end the listening")

    async def on_bound() -> None:
        bound.append(1)

    caller.run_later(caller.rpc.listen("alpha.events", ("closed", "opened"), hear, on_bound=on_bound)).result(5)
    broker.publish("alpha.events", "closed", '{"n": 1}')
    broker.publish("alpha.events", "unheard", '{"n": 2}')
    broker.publish("alpha.events", "opened", "{")
    broker.publish("alpha.events", "opened", '{"n": 3}')
    eventually(lambda: heard == [{"n": 1}, {"n": 3}])
    eventually(lambda: broker.close_connections("gateway"))
    eventually(lambda: len(bound) == 2)
    broker.publish("alpha.events", "opened", '{"n": 4}')
    eventually(lambda: heard[-1] == {"n": 4})
