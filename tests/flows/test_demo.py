"""`./nexus demo` tells the whole story on a running stack, and its figures are those of the API."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.flows.driver import Stack


@pytest.fixture(scope="module")
def told(stack: Stack) -> dict[str, object]:
    found: dict[str, object] = json.loads(stack.verb("demo", "--json", timeout=120))
    return found


def test_every_cent_adds_up_within_a_minute(told: dict[str, object]) -> None:
    assert told["ok"] is True
    assert told["verify"]["violations"] == []  # type: ignore[index]
    assert float(str(told["seconds"])) < 60


def test_there_are_wins_losses_and_voids_on_demo_and_real(told: dict[str, object]) -> None:
    trades = told["trades"]
    assert isinstance(trades, list)
    seen = {(trade["account_type"], trade["status"]) for trade in trades}
    assert seen >= {("DEMO", "WON"), ("DEMO", "LOST"), ("REAL", "WON"), ("REAL", "LOST"), ("REAL", "CANCELLED")}


def test_the_story_is_printed_for_people(stack: Stack) -> None:
    done = subprocess.run(
        [*stack.manage, "demo", "--state", str(stack.state)], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for words in ("Amara has earned", "Staff void a trade", "before", "after", "everything adds up"):
        assert words in done.stdout
