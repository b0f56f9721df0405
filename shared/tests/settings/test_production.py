"""What prod refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings import production

LONG = "k" * 32


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"USERS_DB_URL": "postgresql://users:dev-only@postgres/nexus_users"}, "USERS_DB_URL"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"MARKET_SEED": "1"}, "MARKET_SEED"),
        ({"MARKET_FAULTS": "drop=1"}, "MARKET_FAULTS"),
    ],
)
def test_prod_names_what_it_refuses_and_dev_does_not_mind(told: dict[str, str], named: str) -> None:
    told = {"SECRET_KEY": LONG} | told
    found = production.problems({"NEXUS_ENV": "prod", **told}, signs=True)
    assert [problem for problem in found if named in problem]
    assert len(found) == 1
    assert not [problem for problem in found if told[named] in problem]
    assert production.problems({"NEXUS_ENV": "dev", **told}, signs=True) == []
    assert production.problems(told, signs=True) == []


def test_only_who_signs_needs_a_key() -> None:
    assert production.problems({"NEXUS_ENV": "prod"}, signs=False) == []
    assert production.problems({"NEXUS_ENV": "prod"}, signs=True) != []


def test_a_key_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(LONG)
    assert production.problems({"NEXUS_ENV": "prod", "SECRET_KEY_FILE": str(tmp_path / "key")}, signs=True) == []


def test_an_environment_that_nobody_knows_is_refused() -> None:
    assert production.problems({"NEXUS_ENV": "production"}, signs=False) == ["NEXUS_ENV must be dev, test or prod"]
