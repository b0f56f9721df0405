"""Start a stack: private servers unless the settings name others, all services, the relay, the gateway."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import Any

from cli import common
from shared.devstack.logs import tail
from shared.devstack.state import State, read_json
from shared.settings.env import env

READY_SECONDS = 150.0


def main(argv: list[str]) -> int:
    """Runs until stopped, or with --detach until everything is ready."""
    options = common.parser("up", __doc__)
    options.add_argument("--detach", action="store_true", help="return once everything is ready; `down` stops it")
    options.add_argument("--port", type=int, default=8000, help="of the HTTP gateway on 127.0.0.1 (default 8000)")
    options.add_argument("--workers", type=int, default=env.get_int("GATEWAY_WORKERS", 1), help="of the gateway")
    options.add_argument("--quiet", action="store_true", help="in the foreground: logs into files only")
    chosen = options.parse_args(argv)
    if known := common.running(chosen.state):
        if chosen.detach and known["port"] == chosen.port:
            print(f"nexus: already running at {known['url']}")
            return 0
        return common.fail(
            f"a stack is running already at {known['url']}", "./nexus down, or another --state and --port"
        )
    if chosen.detach:
        return _detach(chosen.state, chosen.port, chosen.workers)
    return _foreground(chosen.state, chosen.port, chosen.workers, show=not chosen.quiet)


def _foreground(state: State, port: int, workers: int, *, show: bool) -> int:
    from shared.devstack.postgres import NoBinaries
    from shared.devstack.rabbitmq import NoBroker
    from shared.devstack.supervisor import AlreadyRunning, StartFailed, Supervisor
    from shared.settings.env import SettingError

    try:
        Supervisor(state, port=port, workers=workers, show=show).run()
    except (AlreadyRunning, StartFailed, NoBinaries, NoBroker, SettingError, RuntimeError) as error:
        return common.fail(str(error))
    return 0


def _detach(state: State, port: int, workers: int) -> int:
    state.logs.mkdir(parents=True, exist_ok=True)
    state.folder.chmod(0o700)
    log = state.logs / "supervisor.log"
    command = [sys.executable, str(common.ROOT / "manage.py"), "up", "--quiet", "--state", str(state.folder)]
    command += ["--port", str(port), "--workers", str(workers)]
    begun = time.monotonic()
    with log.open("wb") as output:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd=common.ROOT,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    said = ""
    while time.monotonic() - begun < READY_SECONDS:
        if child.poll() is not None:
            print(tail(log), file=sys.stderr)
            return common.fail("the stack did not come up", f"./nexus logs --state {state.folder}")
        known = read_json(state.supervisor)
        if known and known["pid"] == child.pid:
            said = _progress(known, said)
            if known["phase"] == "running" and _ready(known):
                _announce(state, known, time.monotonic() - begun)
                return 0
        time.sleep(0.1)
    return _not_ready(state)


def _progress(known: dict[str, Any], said: str) -> str:
    waiting = [process["name"] for process in known["processes"] if not process["healthy"]]
    text = f"waiting for {', '.join(waiting)}" if waiting else "waiting for the gateway to be ready"
    if text != said:
        print(f"nexus: {text}", flush=True)
    return text


def _ready(known: dict[str, Any]) -> bool:
    if not all(process["healthy"] for process in known["processes"]):
        return False
    try:
        with urllib.request.urlopen(f"{known['url']}/api/v1/health/ready", timeout=3) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _announce(state: State, known: dict[str, Any], seconds: float) -> None:
    print(f"nexus: ready after {seconds:.1f} s")
    print(f"  API        {known['url']}/api/v1        documentation  {known['url']}/docs")
    if env.get("NEXUS_ENV", "dev") == "dev":
        print(f"  staff user in {state.staff}")
    print("  ./nexus status · ./nexus logs · ./nexus verify · ./nexus down")


def _not_ready(state: State) -> int:
    known = common.running(state) or {"processes": []}
    for process in known["processes"]:
        if not process["healthy"]:
            print(f"--- {process['name']}: {process['problem']}", file=sys.stderr)
            print(tail(state.logs / f"{process['name']}.log"), file=sys.stderr)
    return common.fail(
        f"not ready after {READY_SECONDS:g} s", f"./nexus logs --state {state.folder}, then ./nexus down"
    )
