"""The monolith's inventory is kept as it was, each name of it has its place, and each place is there."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from cli import docs
from cli.documents import inventory
from cli.documents.seed import Name, names

ROOT = Path(__file__).resolve().parents[2]
SEED = (ROOT / "docs" / "seed-inventory.txt").read_text()
MAP = (ROOT / "docs" / "inventory.md").read_text()
PLACES: dict[str, Any] = tomllib.loads((ROOT / "docs" / "inventory.toml").read_text())

NOT_NAMES = {"CORS_ORIGINS"}
"""A variable of an example."""


def test_the_inventory_is_kept_as_it_was() -> None:
    assert (
        hashlib.sha256(SEED.encode()).hexdigest() == "0c498be9523de2f49545919e44c715ac1b9b2949b65074a1447f114541f926db"
    )


def test_every_name_that_it_quotes_is_on_the_map() -> None:
    """Read here by other means than the map is made with."""
    quoted = {re.sub(r"^python |\(.*| = .*", "", token) for token in re.findall(r"`([^`\n]+)`", SEED)}
    quoted = {token for token in quoted if not token.startswith(("django_core/", "http"))}
    assert len(quoted) > 80
    assert {token for token in quoted if token.strip() not in MAP} == set()


def test_every_field_of_every_model_is_on_the_map() -> None:
    fields = [
        (model, re.split(r"\s*\(", one.strip())[0])
        for model, block in re.findall(r"^- `(\w+)`.*\n((?:  - .*\n)+)", SEED, re.MULTILINE)
        for line in block.splitlines()
        for one in line.strip(" -").partition("(")[0].split(",")
    ]
    assert len(fields) > 60
    assert [f"{model}.{field}" for model, field in fields if f"`{model}.{field}`" not in MAP] == []


def test_every_word_in_capitals_is_on_the_map() -> None:
    listed = SEED.partition("## 📍")[2].partition("## 📚")[0]
    words = set(re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b|(?<=[(, ])[A-Z]{3,}(?=[,)])", listed)) - NOT_NAMES
    assert {"TRADE_PAYOUT", "CANCELLED", "EMAIL_USE_TLS", "SECURE_HSTS_SECONDS"} <= words
    assert {word for word in words if word not in MAP} == set()


def test_every_place_is_there() -> None:
    for name in names():
        assert inventory.missing(inventory.place(name, PLACES)) == [], name.key


@pytest.mark.parametrize(
    "place",
    [
        "`GET /api/v1/accounts`",
        "`GET /api/v1/trades?status=OPEN`",
        "`./nexus migrate`",
        "`shared/settings/env.py:EnvConfig`",
        "`DB_HOST`",
        "`billing.accounts.balance`",
        "`trades.trade_settled`",
        "`billing.hold`",
    ],
)
def test_a_place_that_is_there_is_found(place: str) -> None:
    assert inventory.missing(place) == []


@pytest.mark.parametrize(
    "place",
    [
        "`POST /api/v1/accounts`",
        "`GET /api/v1/accounts/nothing`",
        "`./nexus collectstatic`",
        "`shared/settings/env.py:get_decimal`",
        "`shared/settings/nothing.py`",
        "`DB_ENGINE`",
        "`billing.accounts.colour`",
        "`trades.trade_doubled`",
    ],
)
def test_a_place_that_is_not_there_is_refused(place: str) -> None:
    assert inventory.missing(f"here and {place}") == [f"there is no {place.strip('`')}"]


def test_a_name_without_a_place_and_a_place_without_a_name_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(inventory.Lost, match="no place for Trade under somewhere"):
        inventory.place(Name("somewhere", "Trade"), PLACES)
    with pytest.raises(inventory.Lost, match=r"Trade\.colour is no column"):
        inventory.place(Name("trades/models.py", "colour", "Trade"), PLACES)
    text = (ROOT / "docs" / "inventory.toml").read_text()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "seed-inventory.txt").write_text(SEED)
    (tmp_path / "docs" / "inventory.toml").write_text(text + '\n["nowhere"]\n"nothing" = "x"\n')
    monkeypatch.setattr(inventory.common, "ROOT", tmp_path)
    with pytest.raises(inventory.Lost, match="nowhere: nothing"):
        list(inventory.written())


def test_a_lost_place_holds_up_no_other_document(monkeypatch: pytest.MonkeyPatch) -> None:
    def lost() -> Any:
        raise inventory.Lost("somewhere")

    monkeypatch.setattr(inventory, "written", lost)
    written, problems = docs.documents()
    assert problems == ["somewhere"]
    assert "docs/reference/events.md" in written
    assert docs.main(["--check"]) == 1


def test_what_is_open_says_why() -> None:
    for heading, places in PLACES.items():
        for key, place in places.items():
            if heading != "models" and place.startswith(("open:", "instead:")):
                assert len(place.partition(": ")[2]) > 10, key
