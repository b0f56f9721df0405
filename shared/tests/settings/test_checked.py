"""What `check` says of settings: values that cannot be read, and names that nobody reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from shared.settings.checked import is_declared, problems, unknown
from shared.settings.env import EnvConfig


def of(tmp_path: Path, dotenv: str = "", **environment: str) -> EnvConfig:
    file = tmp_path / ".env"
    file.write_text(dotenv)
    return EnvConfig(environment, dotenv=file)


@pytest.mark.parametrize(
    ("name", "value"),
    [("QUOTE_SECONDS", "soon"), ("BODY_TIMEOUT", "ten"), ("ALLOW_UNLINKED_REAL", "maybe"), ("STAKE_MIN", "0,35")],
)
def test_a_value_that_cannot_be_read_is_named_and_not_shown(tmp_path: Path, name: str, value: str) -> None:
    (said,) = problems(of(tmp_path, **{name: value}))
    assert name in said
    assert value not in said


def test_good_values_and_none_are_no_problem(tmp_path: Path) -> None:
    assert problems(of(tmp_path)) == []
    good = {"QUOTE_SECONDS": "20", "STAKE_MIN": "1.00", "MARKET_SYMBOLS": "R_50,R_100", "ALLOW_UNLINKED_REAL": "yes"}
    assert problems(of(tmp_path, **good)) == []


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    (said,) = problems(of(tmp_path, SECRET_KEY_FILE=str(tmp_path / "absent")))
    assert said.startswith("SECRET_KEY_FILE cannot be read")


def test_names_that_nobody_reads_are_told(tmp_path: Path) -> None:
    known = of(tmp_path, PATH="/bin", EDITOR="ed", USERS_DB_URL="x", SECRET_KEY_FILE="x", NEXUS_ENV="dev")
    assert unknown(known) == []
    assert unknown(of(tmp_path, NEXUS_ENVIRONMENT_NAME="dev")) == ["NEXUS_ENVIRONMENT_NAME is read by nobody"]
    assert unknown(of(tmp_path, ACESS_TOKEN_LIFETIME="60")) == [
        "ACESS_TOKEN_LIFETIME is read by nobody; is ACCESS_TOKEN_LIFETIME meant?"
    ]
    assert unknown(of(tmp_path, dotenv="DEBUG=1\nSTAKE_MIN=1\n")) == ["DEBUG is read by nobody"]
    assert unknown(of(tmp_path, dotenv="POSTGRES_IMAGE=x\n"), others={"POSTGRES_IMAGE"}) == []


def test_a_name_for_each_service_is_declared_for_services_alone() -> None:
    assert is_declared("COMMISSION_DB_URL")
    assert is_declared("COMMISSION_OWNER_DB_URL")
    assert is_declared("GATEWAY_AMQP_URL_FILE")
    assert not is_declared("_DB_URL")
    assert not is_declared("COMMISSION_DB_URLS")
