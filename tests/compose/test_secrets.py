"""Development's passwords are refused by prod, and better ones are one command away."""

from __future__ import annotations

import subprocess

import pytest

from shared.devstack.registry import SERVICES
from shared.settings import production
from tests.compose.composed import OURS, ROOT, SECRETS, environment


def made() -> dict[str, str]:
    printed = subprocess.run([ROOT / "docker" / "secrets.sh"], capture_output=True, text=True, check=True).stdout
    return dict(line.split("=", 1) for line in printed.splitlines())


def problems(name: str, values: dict[str, str]) -> list[str]:
    return production.problems(environment(name, values), signs=name in SERVICES)


def test_every_secret_is_made_long_random_and_fit_for_a_url() -> None:
    first, second = made(), made()
    assert first.pop("NEXUS_ENV") == second.pop("NEXUS_ENV") == "prod"
    assert list(first) == SECRETS
    assert all(len(value) >= 32 and value.replace("-", "").replace("_", "").isalnum() for value in first.values())
    assert len({*first.values(), *second.values()}) == 2 * len(SECRETS)


@pytest.mark.parametrize("name", OURS)
def test_prod_refuses_the_passwords_of_development(name: str) -> None:
    assert problems(name, {}) == []
    refused = problems(name, {"NEXUS_ENV": "prod"})
    held = {variable for variable, value in environment(name).items() if "dev-only" in value}
    assert held
    assert {problem.split()[0] for problem in refused if "docker-compose.yml" in problem} == held


@pytest.mark.parametrize("name", OURS)
def test_prod_refuses_a_single_one_that_was_left(name: str) -> None:
    values = made()
    assert problems(name, values) == []
    for secret in SECRETS:
        told = {other: value for other, value in values.items() if other != secret}
        if "dev-only" in str(environment(name, told)):
            assert problems(name, told)
