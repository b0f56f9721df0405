"""The chaos run in short: faults by seed, every promise kept, everything back in time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import pytest

from shared.devstack.faults import sequence

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 90
MANAGE = [sys.executable, str(ROOT / "manage.py")]


def test_the_same_seed_gives_the_same_faults_and_no_process_is_spared() -> None:
    names = ["users", "billing", "trades", "relay", "gateway-1", "rabbitmq", "postgres"]
    first, again = (list(islice(sequence(7, order), 35)) for order in (names, names[::-1]))
    assert first == again
    assert list(islice(sequence(8, names), 35)) != first
    for begin in range(0, 35, 7):
        assert {fault.process for fault in first[begin : begin + 7]} == set(names)
    assert {fault.kind for fault in first} == {"kill", "freeze"}


@pytest.mark.stack
@pytest.mark.xdist_group("stack")
@pytest.mark.timeout(600)
def test_nothing_promised_is_lost_while_processes_die() -> None:
    done = subprocess.run(
        [*MANAGE, "chaos", "--seconds", str(SECONDS), "--json"],
        capture_output=True,
        text=True,
        timeout=580,
        check=False,
        env={**os.environ, "NEXUS_STATE": ""},
    )
    assert done.stdout, done.stderr[-4000:]
    report = json.loads(done.stdout)
    said = {name: report[name] for name in ("seed", "faults", "answers", "recovery_seconds", "violations")}
    print(said)
    assert report["violations"] == [], json.dumps({**said, "timeline": report["timeline"]}, indent=1)
    assert done.returncode == 0
    assert report["trades_opened_during_faults"] >= 100
    assert set(report["answers"]) <= {"200", "201", "204", "409", "503", "broken"}
