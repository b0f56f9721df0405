"""The relay's process: one loop per database, one connection to the broker, a health file, a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Sequence
from logging import getLogger
from typing import Any

import aiormq
import asyncpg

from shared.chassis import wake
from shared.chassis.health_file import Report, write
from shared.chassis.relay.prune import Pruning
from shared.chassis.relay.pump import SIZE, BrokerLost, ExchangeMissing, due, postpone_homeless, pump
from shared.settings.env import env

log = getLogger(__name__)

POLL_SECONDS = 0.1
GATHER_SECONDS = 0.01
_BACK_OFF = (0.2, 0.5, 1.0, 2.0, 5.0)
_BROKER_ERRORS = (BrokerLost, aiormq.exceptions.AMQPError, aiormq.exceptions.ChannelInvalidStateError)
_DATABASE_ERRORS = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


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
        self._broker: Any = None
        self._connecting = asyncio.Lock()
        self.stopping = asyncio.Event()

    async def run(self) -> None:
        """Returns once `stop` was called and every batch under way has ended."""
        transport = None
        if address := wake.address():
            loop = asyncio.get_running_loop()
            transport, _ = await loop.create_datagram_endpoint(lambda: _Wakes(self._wakes), local_addr=address)
        health = asyncio.create_task(self._report())
        try:
            await asyncio.gather(*(self._empty(service) for service in self._services))
        finally:
            health.cancel()
            if transport is not None:
                transport.close()
            await self._drop(self._broker)

    def stop(self) -> None:
        """Ends after the batches under way."""
        self.stopping.set()
        for event in self._wakes.values():
            event.set()

    async def _empty(self, service: str) -> None:
        failures = 0
        while not self.stopping.is_set():
            broker = None
            try:
                broker = await self._connected()
                await self._work(service, broker)
                failures = 0
            except _BROKER_ERRORS as error:
                self._problems["broker"] = f"{type(error).__name__}: {error}"
                log.warning("%s: broker: %r", service, error)
                await self._drop(broker)
            except _DATABASE_ERRORS as error:
                self._problems[service] = f"{type(error).__name__}: {error}"
                log.warning("%s: database: %r", service, error)
            if not self.stopping.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.stopping.wait(), _BACK_OFF[min(failures, len(_BACK_OFF) - 1)])
                failures += 1

    async def _work(self, service: str, broker: Any) -> None:
        """Connects, then publishes batch after batch until something breaks or the end."""
        url = env.require(f"{service.upper()}_RELAY_DB_URL")
        settings = {"application_name": "relay", "idle_in_transaction_session_timeout": "15s"}
        database = await asyncpg.connect(url, timeout=3, command_timeout=10, server_settings=settings)
        channel = await _channel(broker)
        wake_up, pruning = self._wakes[service], Pruning()
        try:
            self._problems[service] = self._problems["broker"] = None
            while not self.stopping.is_set():
                try:
                    await self._publish_all(database, channel, wake_up)
                except ExchangeMissing:
                    await postpone_homeless(database, broker)
                    channel = await _channel(broker)
                if channel.is_closed:
                    raise BrokerLost("the channel was closed")
                await pruning.when_due(database)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(POLL_SECONDS):
                        await wake_up.wait()
        finally:
            database.terminate()
            with contextlib.suppress(*_BROKER_ERRORS, TimeoutError):
                async with asyncio.timeout(1):
                    await channel.close()

    async def _publish_all(self, database: Any, channel: Any, wake_up: asyncio.Event) -> None:
        """Batch after batch while they are full; what is written meanwhile wakes again."""
        if wake_up.is_set():
            # Commits come in crowds: those of the next moment go with this one.
            await asyncio.sleep(GATHER_SECONDS)
            wake_up.clear()
        elif not await due(database):
            return
        while await pump(database, channel) == SIZE and not self.stopping.is_set():
            pass

    async def _connected(self) -> Any:
        async with self._connecting:
            if self._broker is None or self._broker.is_closed:
                try:
                    async with asyncio.timeout(5):
                        self._broker = await aiormq.connect(env.require("RELAY_AMQP_URL"))
                except (OSError, TimeoutError) as error:
                    raise BrokerLost(f"no connection: {error!r}") from error
            return self._broker

    async def _drop(self, broker: Any) -> None:
        # Only the one that failed: another loop may have a new connection already.
        if broker is None:
            return
        if self._broker is broker:
            self._broker = None
        with contextlib.suppress(*_BROKER_ERRORS, OSError, TimeoutError):
            async with asyncio.timeout(1):
                await broker.close()

    async def _report(self) -> None:
        while True:
            problems = {
                "broker": self._problems["broker"],
                **{f"database-{service}": self._problems[service] for service in self._services},
            }
            write(Report.of("relay", problems))
            await asyncio.sleep(1)


async def _channel(broker: Any) -> Any:
    return await broker.channel(publisher_confirms=True, on_return_raises=True, timeout=5)


def main(services: Sequence[str]) -> int:
    """Runs the relay of `services` until SIGTERM; returns the exit code."""

    async def run() -> None:
        relay = Relay(services)
        loop = asyncio.get_running_loop()

        def on_signal(number: int) -> None:
            if relay.stopping.is_set():
                os._exit(128 + number)
            relay.stop()

        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, on_signal, number)
        await relay.run()
        log.info("the relay has stopped")

    asyncio.run(run())
    return 0
