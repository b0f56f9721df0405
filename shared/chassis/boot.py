"""Before a service starts: its servers answer, and the broker has all that it needs.

Services start while RabbitMQ boots and its topology is applied, so whatever is missing gets time to appear.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from logging import getLogger
from urllib.parse import unquote, urlsplit

import eventlet

from shared.chassis.broker_api import BrokerApi, BrokerApiError
from shared.chassis.errors import StartRefused
from shared.chassis.health_file import Report, write
from shared.chassis.probes import BrokerProbe, DatabaseProbe
from shared.chassis.rpc.envelope import EXCHANGE
from shared.settings.env import env

log = getLogger(__name__)

_PAUSES = (0.1, 0.2, 0.3, 0.5, 1.0)
# Seconds that queues and bindings have to appear once the broker answers.
_TOPOLOGY = 10.0


def wait_for_servers(service: str, *, seconds: float) -> None:
    """Returns when `service` can start.

    Raises TimeoutError when a server does not answer within `seconds`, StartRefused when the topology is not whole.
    """
    until = time.monotonic() + seconds
    broker_url = env.require(f"{service.upper()}_AMQP_URL")
    if database_url := env.get(f"{service.upper()}_DB_URL"):
        database = DatabaseProbe(database_url)
        _wait(service, "database", database.problem, until)
        database.close()
    broker = BrokerProbe(broker_url, ())
    _wait(service, "broker", broker.problem, until)
    broker.close()
    if api_url := env.get("BROKER_API_URL"):
        lacking = _Lacking(BrokerApi(api_url), vhost_of(broker_url), service)
        _wait(service, "broker's management", lacking.ask, until)
        try:
            _wait(service, "topology", lacking.problem, min(until, time.monotonic() + _TOPOLOGY))
        except TimeoutError:
            raise StartRefused(f"the broker lacks {', '.join(lacking.found)}; apply the topology") from None
    else:
        log.warning("BROKER_API_URL is not set: queues and bindings are not checked")


def vhost_of(url: str) -> str:
    """The virtual host that an AMQP URL names."""
    return unquote(urlsplit(url).path[1:]) or "/"


class _Lacking:
    """What the service lacks, as the broker's management last said."""

    def __init__(self, api: BrokerApi, vhost: str, service: str) -> None:
        self._api, self._vhost, self._service = api, vhost, service
        self.found: list[str] = []

    def ask(self) -> str | None:
        try:
            found = self._api.missing(self._vhost, self._service)
            queue, calls = f"rpc-{self._service}", f"{self._service}.*"
            if f"queue {queue}" not in found and (EXCHANGE, calls) not in self._api.bindings(self._vhost, queue):
                found.append(f"binding of {calls} from {EXCHANGE}")
            self.found = found
        except (BrokerApiError, OSError) as error:
            return str(error)
        return None

    def problem(self) -> str | None:
        return self.ask() or ", ".join(self.found) or None


def _wait(service: str, what: str, check: Callable[[], str | None], until: float) -> None:
    attempt = 0
    while problem := check():
        write(Report.starting(service, what, problem))
        pause = _PAUSES[min(attempt, len(_PAUSES) - 1)]
        if time.monotonic() + pause > until:
            raise TimeoutError(f"{what} not reached: {problem}")
        eventlet.sleep(pause)
        attempt += 1
    log.info("%s: %s is there", service, what)
