"""`./nexus bench` measures a stack, and every effect of what it did is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from shared.devstack.registry import SERVICES
from tests.flows.driver import Stack

SHORT = ("--users", "4", "--concurrency", "2", "--duration", "1", "--repeat", "1")


@pytest.mark.timeout(240)
def test_lifecycles_are_counted_when_every_effect_shows(stack: Stack, tmp_path: Path) -> None:
    out = tmp_path / "figures.json"
    found = json.loads(
        stack.verb("bench", "--scenarios", "open,lifecycle", *SHORT, "--json", "--out", str(out), timeout=200)
    )
    assert found == json.loads(out.read_text())
    assert out.with_suffix(".svg").read_text().startswith("<svg")
    assert found["ok"], found["rows"]
    opening, lifecycle = (row["targets"]["nexus"] for row in found["rows"])
    assert {*SERVICES, "relay", "gateway-1", "rabbitmq", "postgres"} == set(opening["cpu_ms"])
    assert opening["rate"] > 0
    assert lifecycle["rate"] > 0
    # A contract lasts a second, which is no part of what follows it.
    assert lifecycle["done_p50"] > 1000
    assert lifecycle["done_p50"] > lifecycle["after_expiry_p50"] > 0
