"""Check every equation of the money, and samples of trades' proofs, while the stack works.

Exit 0: clean, 1: violations, 2: a server is away.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from dataclasses import asdict
from importlib import import_module
from typing import TYPE_CHECKING
from urllib.parse import unquote

from cli import common
from cli.common import BAD, GOOD, WARNING, paint
from shared.devstack.environment import Environment, Servers, find_servers
from shared.devstack.registry import SERVICES
from shared.devstack.state import State

if TYPE_CHECKING:
    from shared.chassis.verification import Equations, Findings

CLEAN, VIOLATED, UNREACHABLE = 0, 1, 2
PROOFS = 50
"""How many of the newest settled trades are computed again, of those whose hours' seeds are public."""


def main(argv: list[str]) -> int:
    """Prints what was found."""
    options = common.parser("verify", __doc__)
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args(argv)
    import amqp
    import psycopg2

    from shared.chassis.verification import verify
    from shared.contracts.errors import ServiceError

    try:
        equations, queues = _of(chosen.state)
        found = verify(equations, queues)
        _prove(equations["trades"].url, found)
    except (psycopg2.OperationalError, OSError, amqp.exceptions.AMQPError, ServiceError) as error:
        if chosen.json:
            print(json.dumps({"ok": False, "unreachable": str(error).strip(), "violations": [], "pending": {}}))
        print(f"nexus: a server cannot be reached: {str(error).strip()}", file=sys.stderr)
        return UNREACHABLE
    if chosen.json:
        print(json.dumps({"ok": not found.violations, **asdict(found)}, indent=2))
    else:
        _show(found)
    return VIOLATED if found.violations else CLEAN


def _of(state: State) -> tuple[dict[str, Equations], Depths]:
    from shared.chassis.verification import Equations

    credentials = state.credentials()
    if credentials is None:
        raise OSError(f"{state.folder} holds no stack: ./nexus up --detach")
    servers = find_servers(state, credentials)
    urls = Environment(state, credentials, servers).verify()
    modules = {service: import_module(f"{service}.invariants") for service in SERVICES}
    return (
        {s: Equations(urls[s], m.INVARIANTS, m.CLAIMS, m.FACTS) for s, m in modules.items()},
        Depths(servers),
    )


def _prove(url: str, found: Findings) -> None:
    """Adds what does not follow from the seeds to the findings."""
    from shared.chassis.database import Database
    from shared.chassis.verification import Suspicion
    from shared.utils.time import get_utc_now
    from trades.market.proved import wrong_proofs

    db = Database(url)
    try:
        found.checked["proofs"], wrong = wrong_proofs(db, now=get_utc_now(), limit=PROOFS)
    finally:
        db.close()
    found.violations += [Suspicion("trades", "proof", id_, why, between=False) for id_, why in wrong.items()]


class Depths:
    """Asks the broker how many messages wait in each queue that may hold an effect."""

    def __init__(self, servers: Servers) -> None:
        from shared.chassis.topology import RETRY_STEPS, events_queue, parking_queue, retry_exchange

        self._url = servers.amqp_url
        self._vhost = unquote(servers.vhost)
        self._queues = [queue(service) for service in SERVICES for queue in (events_queue, parking_queue)]
        self._queues += [retry_exchange(step) for step in RETRY_STEPS]

    def __call__(self) -> dict[str, int]:
        """Depth by queue."""
        import kombu

        with kombu.Connection(self._url, connect_timeout=5) as connection:
            channel = connection.default_channel
            return {name: channel.queue_declare(name, passive=True).message_count for name in self._queues}


def _show(found: Findings) -> None:
    from shared.chassis.verification import SHOWN

    for name, count in found.pending.items():
        print(f"{paint('pending', WARNING)}    {name}: {count}")
    counts = Counter((v.service, v.name) for v in found.violations)
    shown: Counter[tuple[str, str]] = Counter()
    for violation in found.violations:
        what = (violation.service, violation.name)
        shown[what] += 1
        if shown[what] <= SHOWN:
            print(
                f"{paint('VIOLATION', BAD)}  {violation.service}.{violation.name}  {violation.id}  {violation.detail}"
            )
    for (service, name), count in counts.items():
        if count > SHOWN:
            print(f"VIOLATION  {service}.{name}: {count - SHOWN} more")
    checked = ", ".join(f"{count} {name}" for name, count in found.checked.items())
    count = len(found.violations)
    print(f"nexus: {paint(f'{count} violations', BAD) if count else paint('clean', GOOD)} ({checked})")
