"""The life of a service's process: wait for its servers, start, drain on SIGTERM, exit with a code that says why.

0 drained · 1 the container died · 3 not drained in time · 4 broker or database not reachable · 5 the topology lacks
something · 143/130 second signal. The supervisor starts anything but 0 again.
"""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

import eventlet
from eventlet.event import Event
from eventlet.patcher import is_monkey_patched
from nameko.runners import ServiceRunner

from shared.chassis import wire
from shared.chassis.boot import wait_for_servers
from shared.chassis.context import log_fields
from shared.chassis.errors import StartRefused
from shared.settings.env import SettingError, env
from shared.utils.logger import configure_logging, set_context_source

log = logging.getLogger(__name__)

DRAINED, DIED, NOT_DRAINED, NOT_REACHED, REFUSED = 0, 1, 3, 4, 5
# Workers that may run at once: calls (shared.chassis.rpc.server.WORKERS), a batch of events, sweeps, and some air.
MAX_WORKERS = 50


def config(service: str) -> dict[str, Any]:
    """nameko's configuration of `service`, from the environment."""
    return {
        "AMQP_URI": env.require(f"{service.upper()}_AMQP_URL"),
        "SERVICE_CONTAINER_CLS": "shared.chassis.container.Container",
        "max_workers": MAX_WORKERS,
        # Seconds; a broker that is silent for twice as long is taken for dead.
        "HEARTBEAT": 10,
        "TRANSPORT_OPTIONS": {"connect_timeout": 3, "client_properties": {"connection_name": service}},
        **wire.nameko_config(),
    }


def main(service_class: type) -> int:
    """Runs the service until it is told to stop, and returns the exit code."""
    if not is_monkey_patched("socket"):
        raise RuntimeError("eventlet.monkey_patch() has not run: every greenthread would block all others")
    name: str = service_class.name  # type: ignore[attr-defined]  # what nameko asks of every service class
    configure_logging(name)
    set_context_source(log_fields)
    try:
        wait_for_servers(name, seconds=env.get_float("BOOT_TIMEOUT", 60.0))
    except TimeoutError as error:
        log.error("%s not started: %s", name, error)
        return NOT_REACHED
    except (StartRefused, SettingError) as error:
        log.error("%s refuses to start: %s", name, error)
        return REFUSED
    return _serve(service_class, grace=env.get_float("DRAIN_TIMEOUT", 20.0))


def _serve(service_class: type, grace: float) -> int:
    runner = ServiceRunner(config(service_class.name))  # type: ignore[attr-defined]  # as above
    runner.add_service(service_class)
    done = Event()
    stopping: list[int] = []

    def stop() -> None:
        try:
            with eventlet.Timeout(grace):
                runner.stop()
        except eventlet.Timeout:
            log.error("not drained in %s s: the broker gives the rest to the next process", grace)
            _leave(NOT_DRAINED)

    def on_signal(number: int, frame: object) -> None:
        # Runs between two bytecodes of whoever is running, perhaps the hub: nothing here may wait.
        if stopping:
            os._exit(128 + number)
        stopping.append(number)
        eventlet.spawn_n(stop)

    def wait() -> None:
        try:
            runner.wait()
            done.send(DRAINED)
        except Exception:
            log.exception("the container died")
            done.send(DIED)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, on_signal)
    try:
        with eventlet.Timeout(30, TimeoutError("not started in 30 s")):
            runner.start()
    except SettingError as error:
        log.error("refuses to start: %s", error)
        _leave(REFUSED)
    except Exception:
        log.exception("not started")
        _leave(NOT_REACHED)
    eventlet.spawn(wait)
    log.info("%s is ready", service_class.__name__)
    code: int = done.wait()
    if code != DRAINED:
        # Greenthreads of a dead container may hang for ever.
        _leave(code)
    return code


def _leave(code: int) -> None:
    logging.shutdown()
    os._exit(code)
