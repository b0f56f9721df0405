"""The launcher as an operator meets it: two stacks side by side, Ctrl-C, `kill -9`, dead servers, staff by command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from client.http import Http
from shared.chassis.testing import eventually
from tests.flows.conftest import free_port
from tests.flows.driver import Stack, Trader


def processes_of(state: Path) -> list[int]:
    """Every process whose command line or environment names the state's folder."""
    mark, found = str(state).encode(), []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            known = (folder / "cmdline").read_bytes() + (folder / "environ").read_bytes()
            zombie = (folder / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
        except OSError:
            continue
        if mark in known and not zombie:
            found.append(int(folder.name))
    return found


@pytest.fixture
def second(stack: Stack, tmp_path: Path) -> Iterator[Stack]:
    """A stack beside the one that all flows share; not started."""
    made = Stack(state=tmp_path / "second", port=free_port(), manage=stack.manage)
    yield made
    subprocess.run([*made.manage, "down", "--state", str(made.state)], timeout=120, check=False, capture_output=True)


@pytest.mark.timeout(240)
def test_two_stacks_live_side_by_side_and_data_survive_down_and_kill(
    stack: Stack, second: Stack, trader: Trader
) -> None:
    second.verb("up", "--detach", "--port", str(second.port), timeout=180)
    other = Trader.register(Http(second.port))
    assert other.account()["balance"] == "10000.00"
    assert stack.status()["ready"]
    assert second.status()["ready"]
    assert trader.http.get(f"/accounts/{other.account_id}", trader.headers).status == 404

    os.kill(next(p["pid"] for p in second.status()["processes"] if p["kind"] == "supervisor"), signal.SIGKILL)
    eventually(lambda: processes_of(second.state) == [], timeout=15)
    assert stack.status()["ready"]

    second.verb("up", "--detach", "--port", str(second.port), timeout=180)
    assert other.account()["balance"] == "10000.00"
    second.verb("down", timeout=120)
    assert processes_of(second.state) == []
    other.http.close()


@pytest.mark.timeout(240)
def test_in_the_foreground_it_prefixes_logs_and_ends_cleanly_with_ctrl_c(second: Stack) -> None:
    command = [*second.manage, "up", "--state", str(second.state), "--port", str(second.port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as running:
        try:
            eventually(lambda: second.status()["ready"], timeout=120, every=0.5)
            client = Http(second.port)
            assert client.get("/health/live").status == 200
            client.close()
        finally:
            running.send_signal(signal.SIGINT)
            output, _ = running.communicate(timeout=90)
    assert running.returncode == 0, output[-2000:]
    assert b"gateway-1  | " in output
    assert processes_of(second.state) == []


def test_status_answers_at_once_with_broker_and_database_frozen(stack: Stack) -> None:
    servers = [p["pid"] for p in stack.status()["processes"] if p["kind"] in {"broker", "database"}]
    assert len(servers) == 2
    for pid in servers:
        os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        eventually(lambda: not stack.status()["ready"], timeout=12, every=0.2)
        begun = time.monotonic()
        stack.status()
        assert time.monotonic() - begun < 2
    finally:
        for pid in servers:
            os.kill(pid, signal.SIGCONT)
    eventually(lambda: stack.status()["ready"], timeout=60, every=0.5)


def test_status_for_programs_has_what_is_promised(stack: Stack) -> None:
    found = stack.status()
    assert found["http"]["url"] == f"http://127.0.0.1:{stack.port}"
    assert found["postgres"]["databases"]["billing"] == "nexus_billing"
    assert found["postgres"]["admin_url"].startswith("postgresql://postgres:")
    assert "?" not in found["postgres"]["admin_url"]
    assert set(found["staff"]) == {"username", "password"}
    kinds = {process["kind"] for process in found["processes"]}
    assert kinds == {"service", "relay", "gateway", "broker", "database", "supervisor"}
    for process in found["processes"]:
        assert {"name", "kind", "pid", "rss_bytes", "healthy", "restarts"} <= set(process)
        assert process["rss_bytes"] > 0
    commands = {p["name"]: Path(f"/proc/{p['pid']}/comm").read_text().strip() for p in found["processes"]}
    assert (commands["rabbitmq"], commands["postgres"]) == ("beam.smp", "postgres")


def test_the_staff_file_is_kept_and_private(stack: Stack) -> None:
    file = stack.state / "staff.json"
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text()) == stack.status()["staff"]


def test_restart_replaces_one_process_and_opens_go_on(stack: Stack, trader: Trader) -> None:
    before = {p["name"]: p["pid"] for p in stack.status()["processes"]}
    stack.verb("restart", "trades", timeout=100)
    after = {p["name"]: p["pid"] for p in stack.status()["processes"]}
    assert after.pop("trades") != before.pop("trades")
    assert after == before
    assert trader.open(trader.terms(seconds=60)).status == 201


def test_createsuperuser_makes_staff_without_asking(stack: Stack, http: Http) -> None:
    environment = {**os.environ, "NEXUS_SUPERUSER_PASSWORD": "a staff password"}
    command = [*stack.manage, "createsuperuser", "--state", str(stack.state), "--noinput"]
    command += ["--username", "grace", "--email", "grace@example.org"]
    assert subprocess.run(command, env=environment, check=False, timeout=30).returncode == 0
    tokens = http.post("/auth/token", {"username": "grace", "password": "a staff password"})
    me = http.get("/users/me", {"Authorization": f"Bearer {tokens.body['access']}"})
    assert me.body["is_staff"] is True
    again = subprocess.run(command, env=environment, check=False, timeout=30, capture_output=True, text=True)
    assert again.returncode == 1
    assert "username" in again.stdout + again.stderr


def test_check_finds_nothing_wrong_with_a_running_stack(stack: Stack) -> None:
    assert "all is well" in stack.verb("check")
    assert "newest migration" in stack.verb("migrate")
    assert stack.verb("parking", "list") == ""
