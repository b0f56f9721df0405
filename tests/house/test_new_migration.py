"""What `./nexus new-migration` makes is the next revision, and says what is left to write."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory

from cli import new_migration

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    migrations = tmp_path / "services" / "users" / "migrations"
    shutil.copytree(ROOT / "services" / "users" / "migrations", migrations)
    monkeypatch.setattr(new_migration.common, "ROOT", tmp_path)
    return migrations


def test_it_follows_the_newest_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    newest = max(path.stem for path in (folder / "versions").glob("*.py"))
    assert new_migration.main(["users", "Nicknames have a column."]) == 0
    assert new_migration.main(["users", "And 2 indexes"]) == 0
    config = Config()
    config.set_main_option("script_location", str(folder))
    config.set_main_option("path_separator", "os")
    scripts = ScriptDirectory.from_config(config)
    first, second = (f"{int(newest[:4]) + number:04}" for number in (1, 2))
    assert scripts.get_heads() == [second]
    made = scripts.get_revision(first)
    assert (made.down_revision, made.doc) == (newest[:4], "Nicknames have a column.")
    assert Path(made.path).name == f"{first}_nicknames_have_a_column.py"
    assert (
        (folder / "sql" / f"{first}_nicknames_have_a_column.sql").read_text().startswith("-- Nicknames have a column.")
    )
    assert "check --migrations" in (folder / "sql" / f"{first}_nicknames_have_a_column.sql").read_text()


def test_a_title_without_a_word_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(folder.rglob("*"))
    assert new_migration.main(["users", "…"]) == 1
    assert sorted(folder.rglob("*")) == before
