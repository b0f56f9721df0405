"""RabbitMQ's management API: applying the topology, and asking which bindings a queue has (AMQP cannot tell)."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from shared.chassis.topology import Plan, events_queue, missing, orphans

TIMEOUT = 5.0


class BrokerApiError(Exception):
    """The management API refused something; the text carries its answer."""


class BrokerApi:
    """A client of the API at `url`, such as http://user:password@host:port. Connection errors are OSError."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._base = f"{parts.scheme}://{parts.hostname}:{parts.port or 15672}/api"
        login = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
        self._headers = {
            "Authorization": "Basic " + base64.b64encode(login.encode()).decode(),
            "Content-Type": "application/json",
        }

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """One request; the decoded answer, or None for an empty one. Raises BrokerApiError, OSError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._base + path, data=data, headers=self._headers, method=method)  # noqa: S310  # the scheme is the operator's
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                answer = response.read()
        except urllib.error.HTTPError as error:
            raise BrokerApiError(
                f"{method} {path}: {error.code} {error.read()[:500].decode(errors='replace')}"
            ) from None
        return json.loads(answer) if answer else None

    def create_vhost(self, vhost: str, *users: str) -> None:
        """Makes a virtual host, with all rights for `users`."""
        self.call("PUT", f"/vhosts/{quote(vhost, safe='')}", {})
        for user in users:
            everything = {"configure": ".*", "write": ".*", "read": ".*"}
            self.call("PUT", f"/permissions/{quote(vhost, safe='')}/{user}", everything)

    def delete_vhost(self, vhost: str) -> None:
        """Removes a virtual host and all that is in it; no error when there is none."""
        try:
            self.call("DELETE", f"/vhosts/{quote(vhost, safe='')}")
        except BrokerApiError as error:
            if ": 404 " not in str(error):
                raise

    def import_rights(self, rights: dict[str, Any]) -> None:
        """Users and permissions, as `topology.rights` gives them."""
        self.call("POST", "/definitions", rights)

    def import_definitions(self, vhost: str, definitions: dict[str, Any]) -> None:
        """Exchanges, queues and bindings; raises BrokerApiError when an existing queue has other arguments."""
        self.call("POST", f"/definitions/{quote(vhost, safe='')}", definitions)

    def queues(self, vhost: str) -> dict[str, dict[str, Any]]:
        """Every queue of the virtual host by name."""
        found = self.call("GET", f"/queues/{quote(vhost, safe='')}?disable_stats=true&enable_queue_totals=true")
        return {queue["name"]: queue for queue in found}

    def bindings(self, vhost: str, queue: str) -> set[tuple[str, str]]:
        """(exchange, routing key) of a queue's bindings, but for the default exchange's."""
        found = self.call("GET", f"/queues/{quote(vhost, safe='')}/{quote(queue, safe='')}/bindings")
        return {(binding["source"], binding["routing_key"]) for binding in found if binding["source"]}

    def missing(self, vhost: str, service: str) -> list[str]:
        """Which queues and bindings `service` lacks. Raises BrokerApiError, OSError."""
        queues = self.queues(vhost)
        own = events_queue(service)
        return missing(service, queues, self.bindings(vhost, own) if own in queues else ())

    def orphans(self, vhost: str, plan: Plan) -> list[str]:
        """Queues and bindings that nothing of the plan uses. Raises BrokerApiError, OSError."""
        queues = self.queues(vhost)
        own = [events_queue(service) for service in plan.services]
        return orphans(plan, queues, {name: self.bindings(vhost, name) for name in own if name in queues})
