"""What operators and developers have at hand: a shell, logs that go on, migrations shown, a stack thrown away."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
from pathlib import Path

import pytest

from client.http import Http
from shared.chassis.testing import eventually
from shared.devstack.registry import SERVICES
from tests.flows.conftest import free_port
from tests.flows.driver import Stack, Trader


def shell(stack: Stack, line: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [*stack.manage, "shell", "--state", str(stack.state), *options, "-c", line]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_the_shell_calls_services_in_somebodys_name(stack: Stack, trader: Trader) -> None:
    asked = f"rpc.users.get_user(user_id='{trader.user_id}')['username']"
    assert shell(stack, asked, "--user", trader.name).stdout == f"{trader.name}\n"
    assert shell(stack, asked, "--user", "admin").stdout == f"{trader.name}\n"
    assert shell(stack, f"as_user('admin').{asked.removeprefix('rpc.')}").stdout == f"{trader.name}\n"
    other = Trader.register(trader.http)
    refused = shell(stack, asked, "--user", other.name)
    assert (refused.returncode, "user_not_found" in refused.stderr) == (1, True)
    assert shell(stack, "rpc.referrals.check_code(code='nobodys')['problem']").stdout == "unknown\n"
    absent = shell(stack, "1", "--user", "nobody-of-that-name")
    assert (absent.returncode, "there is no user nobody-of-that-name" in absent.stderr) == (1, True)


def test_the_shell_reads_every_database_and_writes_none(stack: Stack, trader: Trader) -> None:
    counted = shell(stack, "{s: sql(s, 'SELECT count(*) AS n FROM outbox')[0]['n'] >= 0 for s in vars(tables)}")
    assert counted.stdout == f"{dict.fromkeys(SERVICES, True)}\n"
    name = "db.users.scalar(select(tables.users.users.c.username).where(tables.users.users.c.id == '{}'))"
    assert shell(stack, name.format(trader.user_id)).stdout == f"{trader.name}\n"
    refused = shell(stack, "db.users.execute(text(\"UPDATE users SET username = 'eve'\"))")
    assert refused.returncode == 1
    assert "read-only" in refused.stderr
    assert "user_id" in shell(stack, "help(rpc.users.get_user)").stdout


def test_the_shell_answers_lines_until_it_is_left(stack: Stack) -> None:
    command = [*stack.manage, "shell", "--state", str(stack.state)]
    done = subprocess.run(command, input="1 + 1\n", capture_output=True, text=True, check=True, timeout=60)
    assert "2" in done.stdout
    assert "as the system" in done.stderr


def test_migrations_are_shown_for_each_service(stack: Stack) -> None:
    shown = stack.verb("showmigrations").splitlines()
    assert [line for line in shown if not line.startswith(" ")] == list(SERVICES)
    assert " [X] 0001_users" in shown
    assert not [line for line in shown if line.startswith(" [ ]")]
    assert stack.verb("showmigrations", "billing").splitlines()[:2] == ["billing", " [X] 0001_ledger"]


def test_logs_go_on_with_what_is_written(stack: Stack, tmp_path: Path) -> None:
    (stack.state / "logs" / "sample.log").write_text("".join(f"line {number}\n" for number in range(30)))
    log, output = stack.state / "logs" / "sample.log", tmp_path / "output"
    with output.open("wb") as file:
        command = [*stack.manage, "logs", "sample", "-f", "-n", "2", "--state", str(stack.state)]
        # A run in the background has Ctrl-C ignored, and hands that on.
        running = subprocess.Popen(
            command,
            stdout=file,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
        )
    try:
        eventually(lambda: output.read_text().splitlines()[-1:] == ["sample        | line 29"])
        with log.open("a") as more:
            more.write("half a ")
            more.flush()
            more.write("line\nand another\n")
        eventually(lambda: output.read_text().splitlines()[-1:] == ["sample        | and another"])
        log.rename(log.with_suffix(".log.1"))
        log.write_text("after the rotation\n")
        eventually(lambda: output.read_text().splitlines()[-1:] == ["sample        | after the rotation"])
    finally:
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == 130
        log.unlink()
    lines = [line.partition("| ")[2] for line in output.read_text().splitlines()]
    assert lines == ["line 28", "line 29", "half a line", "and another", "after the rotation"]


def test_colours_are_for_terminals_alone(stack: Stack) -> None:
    command = [*stack.manage, "status", "--state", str(stack.state)]
    assert "\033[" not in stack.verb("status")
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        leader, follower = pty.openpty()
        subprocess.run(command, stdout=follower, env={**os.environ, **environment}, check=True, timeout=30)
        os.close(follower)
        assert (b"\033[32mready\033[0m" in os.read(leader, 65536)) is coloured
        os.close(leader)


@pytest.mark.timeout(240)
def test_reset_asks_and_then_nothing_is_left(stack: Stack, tmp_path: Path) -> None:
    made = Stack(state=tmp_path / "reset", port=free_port(), manage=stack.manage)
    made.verb("up", "--detach", "--port", str(made.port), timeout=180)
    command = [*made.manage, "reset", "--state", str(made.state)]
    unasked = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=30)
    assert unasked.returncode == 1
    assert "--yes means it" in unasked.stderr
    client = Http(made.port)
    assert client.get("/health/live").status == 200
    client.close()
    done = subprocess.run([*command, "--yes"], capture_output=True, text=True, check=False, timeout=120)
    assert (done.returncode, made.state.exists()) == (0, False), done.stdout + done.stderr


def test_reset_touches_nothing_that_is_no_stack(stack: Stack, tmp_path: Path) -> None:
    (tmp_path / "letters").write_text("dear ada")
    command = [*stack.manage, "reset", "--yes", "--state"]
    refused = subprocess.run([*command, str(tmp_path)], capture_output=True, text=True, check=False, timeout=30)
    assert refused.returncode == 1
    assert "holds no stack" in refused.stderr
    assert (tmp_path / "letters").exists()
    servers = {**os.environ, "NEXUS_POSTGRES_URL": "postgresql://somebody@example.org/x"}
    kept = subprocess.run(
        [*command, str(stack.state)], env=servers, capture_output=True, text=True, check=False, timeout=30
    )
    assert kept.returncode == 1
    assert "servers of yours" in kept.stderr
    assert stack.status()["ready"]
