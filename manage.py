#!/usr/bin/env python3
"""The command line. Each verb is a file of `cli/` with `main(argv) -> int`; only the one asked for is imported."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parent
sys.path[:0] = [
    str(p) for p in (ROOT, ROOT / "gateway", *sorted((ROOT / "services").glob("*"))) if str(p) not in sys.path
]

VERBS = {
    "up": "start a stack (--detach: in the background) and supervise it",
    "down": "stop a stack; its data stay",
    "status": "what runs, and how it is (--json)",
    "logs": "show the logs, of one process or of all (-f: go on)",
    "reset": "stop a stack and throw its data away (asks first; --yes)",
    "restart": "restart one process of a stack",
    "stop": "stop one process of a stack until `start`",
    "start": "start it again",
    "verify": "check every equation of the money (--json)",
    "verify-trade": "check the proof of a settled trade, from its file alone",
    "demo": "tell the whole story on a stack: people, money, trades, commissions, and that it adds up (--json)",
    "chaos": "kill and freeze processes under load, then check that nothing promised was lost (--json)",
    "bench": "measure a private stack: rates, latencies, CPU of each process (--peer DIR: beside the monolith; --json)",
    "test": "run the tests against servers of their own",
    "runserver": "the same as `up` in the foreground",
    "provision": "make the servers of a deployment ready, as its environment says",
    "migrate": "bring the databases to the newest migration",
    "showmigrations": "which migrations each database has",
    "createsuperuser": "make a staff user (--noinput: password from the environment)",
    "check": "settings, databases, migrations and topology (--migrations: models against migrations)",
    "topology": "apply or check the broker's exchanges, queues and bindings",
    "parking": "list, show or redrive parked messages",
    "replay": "send events of the past to one service again, from the archive of audit",
    "republish": "send the present state of one service to another one, which fills its copies",
    "docs": "write the reference that follows from the code (--check: is it up to date?)",
    "health": "whether the processes of this container are well",
    "shell": "a Python shell with calls to all services and their databases to read (-c: one line)",
    "new-service": "make a service that passes every check, to start from",
    "new-migration": "make the next migration of a service",
    "run": "run one service in the foreground",
    "relay": "run the relay of some or all services",
    "gateway": "run one worker of the HTTP gateway",
}
HIDDEN = {"setup"}


def main(argv: list[str]) -> int:
    """Dispatches to the verb and returns its exit code."""
    if not argv or argv[0] in ("-h", "--help", "help"):
        print("usage: ./nexus VERB [options]     (VERB --help says more)\n")
        for verb, help_ in VERBS.items():
            print(f"  {verb:<16} {help_}")
        return 0
    verb, *rest = argv
    if verb not in VERBS and verb not in HIDDEN:
        print(f"nexus: no such verb: {verb} (./nexus help lists them)", file=sys.stderr)
        return 2
    try:
        code: int = import_module(f"cli.{verb.replace('-', '_')}").main(rest)
    except KeyboardInterrupt:
        return 130
    return code


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
