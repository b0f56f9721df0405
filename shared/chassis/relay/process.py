"""The relay's process: one loop per database, one connection to the broker, a health file, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Sequence
from logging import getLogger
from typing import Any

import aiormq
import asyncpg

from shared.chassis.health_file import Report, write
from shared.chassis.relay.pump import SIZE, BrokerLost, pump
from shared.settings.env import env

log = getLogger(__name__)

POLL_SECONDS = 0.1
_BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)


class _Wakes(asyncio.DatagramProtocol):
    """A datagram carries the name of the service that has written; an unknown name wakes all."""

    def __init__(self, events: dict[str, asyncio.Event]) -> None:
        self._events = events

    def datagram_received(self, data: bytes, addr: Any) -> None:
        event = self._events.get(data.decode(errors="replace"))
        for one in [event] if event is not None else self._events.values():
            one.set()


class Relay:
    """Empties the outboxes of `services` until told to stop."""

    def __init__(self, services: Sequence[str]) -> None:
        self._services = list(services)
        self._wakes = {service: asyncio.Event() for service in self._services}
        self._problems: dict[str, str | None] = dict.fromkeys(["broker", *self._services], "not connected yet")
        self._stopping = asyncio.Event()
        self._connection: Any = None
        self._connecting = asyncio.Lock()

    async def run(self) -> None:
        """Returns once `stop` was called and every batch under way has ended."""
        loop = asyncio.get_running_loop()
        host, _, port = (env.get("RELAY_WAKE") or "").partition(":")
        transport = None
        if port:
            transport, _ = await loop.create_datagram_endpoint(
                lambda: _Wakes(self._wakes), local_addr=(host, int(port))
            )
        health = asyncio.create_task(self._report())
        try:
            await asyncio.gather(*(self._empty(service) for service in self._services))
        finally:
            health.cancel()
            if transport is not None:
                transport.close()
            if self._connection is not None:
                with contextlib.suppress(Exception):
                    await self._connection.close()

    def stop(self) -> None:
        """Ends after the batches under way."""
        self._stopping.set()
        for wake in self._wakes.values():
            wake.set()

    async def _empty(self, service: str) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                await self._work(service)
                failures = 0
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                self._problems[service] = f"{type(error).__name__}: {error}"
                log.warning("%s: database: %r", service, error)
            except (BrokerLost, aiormq.exceptions.AMQPError) as error:
                self._problems["broker"] = f"{type(error).__name__}: {error}"
                log.warning("%s: broker: %r", service, error)
                await self._drop_broker()
            if not self._stopping.is_set():
                await asyncio.sleep(_BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
                failures += 1

    async def _work(self, service: str) -> None:
        """Connects, then publishes batch after batch until something breaks or the end."""
        channel = await (await self._broker()).channel(publisher_confirms=True, on_return_raises=True)
        url = env.require(f"{service.upper()}_RELAY_DB_URL")
        database = await asyncpg.connect(
            url, timeout=3, command_timeout=10, server_settings={"application_name": "relay"}
        )
        wake = self._wakes[service]
        try:
            self._problems[service] = self._problems["broker"] = None
            while not self._stopping.is_set():
                wake.clear()
                if await pump(database, channel) == SIZE:
                    continue
                if channel.is_closed:
                    raise BrokerLost("the channel was closed")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await wake.wait()
        finally:
            database.terminate()
            with contextlib.suppress(Exception):
                await channel.close()

    async def _broker(self) -> Any:
        async with self._connecting:
            if self._connection is None or self._connection.is_closed:
                async with asyncio.timeout(5):
                    self._connection = await aiormq.connect(env.require("RELAY_AMQP_URL"))
            return self._connection

    async def _drop_broker(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(Exception):
                async with asyncio.timeout(1):
                    await connection.close()

    async def _report(self) -> None:
        while True:
            problems = {
                "broker": self._problems["broker"],
                **{f"database-{service}": self._problems[service] for service in self._services},
            }
            write(Report.of("relay", problems))
            await asyncio.sleep(1)


def main(services: Sequence[str]) -> int:
    """Runs the relay of `services` until SIGTERM; returns the exit code."""

    async def run() -> None:
        relay = Relay(services)
        loop = asyncio.get_running_loop()

        def on_signal() -> None:
            if relay._stopping.is_set():
                os._exit(143)
            relay.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal)
        begun = time.monotonic()
        await relay.run()
        log.info("relay stopped after %.0f s", time.monotonic() - begun)

    asyncio.run(run())
    return 0
