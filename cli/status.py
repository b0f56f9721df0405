"""What runs, and how it is. With --json: for programs, with the addresses of the servers (outside prod)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from cli import common
from cli.common import BAD, GOOD, paint
from shared.devstack.registry import SERVICES, database_name
from shared.devstack.state import State, read_json
from shared.settings.env import env

_PAGE = os.sysconf("SC_PAGE_SIZE")


def main(argv: list[str]) -> int:
    """Exit 0 when everything is ready, 1 otherwise (with --json always 0 once the answer is printed)."""
    options = common.parser("status", __doc__)
    options.add_argument("--json", action="store_true", help="for programs")
    chosen = options.parse_args(argv)
    found = status(chosen.state)
    if chosen.json:
        print(json.dumps(found, indent=2))
        return 0
    _show(found)
    return 0 if found["ready"] else 1


def status(state: State) -> dict[str, Any]:
    """The state of the stack; reads files and /proc only, so it answers at once whatever is dead."""
    known = common.running(state)
    credentials = state.credentials()
    found: dict[str, Any] = {
        "ready": False,
        "http": {"url": known["url"] if known else None},
        "processes": [],
        "postgres": {"databases": {service: database_name(service) for service in SERVICES}},
        "amqp": {},
    }
    if env.get("NEXUS_ENV", "dev") != "prod" and credentials is not None:
        from shared.devstack.environment import find_servers

        servers = find_servers(state, credentials)
        found["postgres"]["admin_url"] = servers.admin_url
        found["amqp"]["admin_url"] = servers.amqp_url
        found["amqp"]["api_url"] = servers.api_url
        found["staff"] = read_json(state.staff)
    if known is None:
        return found
    listed = [_process(process) for process in known["processes"]]
    supervisor = {"name": "supervisor", "kind": "supervisor", "pid": known["pid"], "healthy": True, "restarts": 0}
    found["processes"] = [*listed, {**supervisor, "rss_bytes": _rss(known["pid"], alone=True)}]
    found["ready"] = known["phase"] == "running" and all(process["healthy"] for process in listed)
    return found


def _process(known: dict[str, Any]) -> dict[str, Any]:
    rss = _rss(known["pid"])
    return {
        "name": known["name"],
        "kind": known["kind"],
        "pid": known["pid"],
        "rss_bytes": rss,
        "healthy": known["healthy"] and rss > 0,
        "restarts": known["restarts"],
    } | ({} if known["healthy"] else {"problem": known["problem"]})


def _rss(pid: int | None, *, alone: bool = False) -> int:
    """Resident memory, with the processes that it made unless `alone` (pages that they share are counted once)."""
    if pid is None:
        return 0
    try:
        own = int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE
        children = [] if alone else Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0
    for child in children:
        try:
            fields = Path(f"/proc/{child}/statm").read_text().split()
            own += (int(fields[1]) - int(fields[2])) * _PAGE
        except OSError:
            continue
    return own


def _show(found: dict[str, Any]) -> None:
    if not found["processes"]:
        print("nexus: nothing is running (./nexus up starts it)")
        return
    print(f"{paint('ready', GOOD) if found['ready'] else paint('NOT READY', BAD)}   {found['http']['url']}\n")
    print(f"{'process':<14}{'kind':<12}{'pid':>8}{'memory':>10}{'restarts':>10}   state")
    for process in found["processes"]:
        well = process["healthy"]
        state = paint("healthy", GOOD) if well else paint(process.get("problem", "not healthy"), BAD)
        memory = f"{process['rss_bytes'] / 2**20:.0f} MB"
        pid, restarts = process["pid"] or "-", process["restarts"]
        print(f"{process['name']:<14}{process['kind']:<12}{pid:>8}{memory:>10}{restarts:>10}   {state}")
    total = sum(process["rss_bytes"] for process in found["processes"]) / 2**20
    print(f"{'':<34}{total:>7.0f} MB")
