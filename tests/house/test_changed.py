"""After a change the tests of what it touches are run, and those of the whole house."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from cli import changed, test

HOUSE = list(changed.ALWAYS)


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("docs/glossary.md", []),
        ("README.md", []),
        ("services/billing/billing/ledger.py", ["services/billing/tests"]),
        ("services/billing/tests/conftest.py", ["services/billing/tests"]),
        ("services/billing/tests/test_ledger.py", ["services/billing/tests/test_ledger.py"]),
        ("gateway/gateway/routes/trades.py", ["gateway/tests"]),
        ("shared/chassis/relay/pump.py", ["shared/tests/chassis"]),
        ("shared/tests/chassis/conftest.py", ["shared/tests/chassis"]),
        ("shared/contracts/trades/rpc.py", ["shared/tests/contracts", "services/trades/tests", "gateway/tests"]),
        ("shared/contracts/money.py", ["shared/tests/contracts"]),
        ("tests/flows/driver.py", ["tests/flows"]),
        ("tests/architecture/test_rooms.py", []),
    ],
)
def test_a_change_means_its_tests(path: str, tests: list[str]) -> None:
    assert changed.tests_of([path]) == [*HOUSE, *tests]


def test_a_file_whose_folder_runs_does_not_run_twice() -> None:
    both = ["services/billing/tests/test_ledger.py", "services/billing/billing/ledger.py"]
    assert changed.tests_of(both) == [*HOUSE, "services/billing/tests"]


def test_what_git_does_not_know_yet_is_a_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def git(*arguments: str) -> None:
        who = ["-c", "user.name=ada", "-c", "user.email=ada@example.org"]
        subprocess.run(["git", *who, *arguments], cwd=tmp_path, check=True, capture_output=True)

    git("init")
    for name in ("kept", "edited"):
        (tmp_path / name).write_text("1")
    git("add", ".")
    git("commit", "-m", "1")
    (tmp_path / "edited").write_text("2")
    (tmp_path / "new one").write_text("1")
    monkeypatch.setattr(changed.common, "ROOT", tmp_path)
    assert changed.changed("HEAD") == ["edited", "new one"]
    git("add", ".")
    git("commit", "-m", "2")
    assert changed.changed("HEAD") == []
    assert changed.changed("HEAD~1") == ["edited", "new one"]


def test_the_option_stands_for_the_tests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changed, "changed", lambda since: ["services/users/users/rules.py"] if since == "main" else [])
    assert test._of_changed(["-x", "--changed", "main", "-q"]) == ["-x", *HOUSE, "services/users/tests", "-q"]
    assert test._of_changed(["--changed", "-q"]) == [*HOUSE, "-q"]
    assert test._of_changed(["-q"]) == ["-q"]
