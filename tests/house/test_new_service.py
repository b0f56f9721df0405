"""What `./nexus new-service` makes passes every check and runs, in a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from cli import new_service
from shared.devstack.registry import SERVICES

ROOT = Path(__file__).resolve().parents[2]
NAME = "alerts"

Run = Callable[..., str]


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's files as they are now, with the new service."""
    folder = tmp_path_factory.mktemp("copy")
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    if (ROOT / ".mypy_cache").exists():
        shutil.copytree(ROOT / ".mypy_cache", folder / ".mypy_cache")
    run_in(folder, "manage.py", "new-service", NAME)
    run_in(folder, "manage.py", "docs")
    return folder


def run_in(folder: Path, *arguments: str) -> str:
    """Runs our Python there, with the copy's packages before ours."""
    services = [folder / "services" / name for name in (*SERVICES, NAME)]
    path = os.pathsep.join(map(str, (folder, folder / "gateway", *services)))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")},
        "PYTHONPATH": path,
        "PYTHONWARNINGS": "ignore",
        "NEXUS_TEST_PREFIX": f"{os.environ.get('NEXUS_TEST_PREFIX', 'test')}new",
    }
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-4000:]
    return done.stdout


def test_it_is_linted_formatted_and_typed(copy: Path) -> None:
    made = [f"services/{NAME}", f"shared/contracts/{NAME}"]
    files = [str(path) for folder in made for path in sorted((copy / folder).rglob("*.py"))]
    assert len(files) > 15
    run_in(copy, "-m", "ruff", "check", *files)
    run_in(copy, "-m", "ruff", "format", "--check", *files)
    assert "Success" in run_in(copy, "-m", "mypy", f"services/{NAME}/{NAME}", f"shared/contracts/{NAME}")


def test_it_has_its_place_among_the_containers(copy: Path) -> None:
    compose = yaml.safe_load((copy / "docker-compose.yml").read_text())
    like, made = compose["services"][new_service.LIKE], compose["services"][NAME]
    assert yaml.safe_load(new_service.named(yaml.safe_dump(like), NAME, new_service.LIKE)) == made
    assert NAME in compose["services"]["gateway"]["depends_on"]
    for owner, kinds in {"setup": ("AMQP", "DB", "OWNER_DB", "RELAY_DB"), "relay": ("RELAY_DB",)}.items():
        environment = compose["services"][owner]["environment"]
        for kind in kinds:
            found = environment[f"{new_service.LIKE.upper()}_{kind}_URL"]
            assert environment[f"{NAME.upper()}_{kind}_URL"] == new_service.named(found, NAME, new_service.LIKE)


def test_it_keeps_the_import_rules(copy: Path) -> None:
    said = run_in(copy, "-c", "from importlinter.cli import lint_imports; raise SystemExit(lint_imports())")
    assert "0 broken" in said


def test_its_documents_are_written_and_its_models_are_its_migrations(copy: Path) -> None:
    run_in(copy, "manage.py", "docs", "--check")
    assert f"## {NAME}" in (copy / "docs" / "reference" / "calls.md").read_text()
    assert "agree" in run_in(copy, "manage.py", "check", "--migrations", NAME)


@pytest.mark.timeout(240)
@pytest.mark.stack
def test_it_runs_and_passes_its_own_tests_and_those_of_the_house(copy: Path) -> None:
    house = run_in(
        copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/architecture", "tests/contracts", "-k", NAME
    )
    assert "passed" in house
    own = run_in(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"services/{NAME}")
    assert " passed" in own


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("billing", "there is such a service"),
        ("json", "Python knows something else"),
        ("sample", "Python knows something else"),
        ("class", "Python knows something else"),
        ("price-alerts", "lower-case letters"),
        ("Alerts", "lower-case letters"),
        ("al", "lower-case letters"),
    ],
)
def test_a_name_that_would_not_do_is_refused(name: str, reason: str) -> None:
    assert reason in (new_service.name_problem(name) or "")


def test_words_that_only_contain_the_name_stay() -> None:
    text = "sample SAMPLE_DB_URL SampleRpc resample samples example sample_id"
    assert new_service.named(text, "alerts") == "alerts ALERTS_DB_URL AlertsRpc resample samples example alerts_id"
