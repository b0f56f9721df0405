"""A file name means the same in every service, and what is nowhere declared is refused."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from shared.devstack.registry import SERVICES

ROOT = Path(__file__).resolve().parents[2]
FOLDER = {
    *("README.md", "CHANGELOG.md", "pyproject.toml", "requirements.txt", "Dockerfile"),
    *("alembic.ini", "migrations", "tests"),
}
ALWAYS = {"service", "commands", "queries", "models", "events", "rules", "invariants"}
SOMETIMES = {"copies"}
OWN = {"billing": {"ledger"}, "trades": {"market", "limits"}, "users": {"tokens", "passwords"}, "audit": {"chain"}}
HEADINGS = ["Owns", "Answers (RPC)", "Announces", "Listens", "Tables"]


def package(service: str) -> Path:
    return ROOT / "services" / service / service


def names(folder: Path) -> set[str]:
    return {path.stem for path in folder.iterdir() if not path.name.startswith(("__", "."))}


def test_the_list_of_services_is_the_folder_of_services() -> None:
    assert {path.name for path in (ROOT / "services").iterdir() if path.is_dir()} == set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_rooms_of_the_house(service: str) -> None:
    assert names(package(service)) - ALWAYS - SOMETIMES == OWN.get(service, set())
    assert names(package(service)) >= ALWAYS


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_folder_is_whole(service: str) -> None:
    present = {path.name for path in (ROOT / "services" / service).iterdir()}
    assert present - {"__pycache__"} == FOLDER | {service}


@pytest.mark.parametrize("service", SERVICES)
def test_a_readme_says_the_same_five_things_first(service: str) -> None:
    text = (ROOT / "services" / service / "README.md").read_text()
    headings = [line.removeprefix("## ").strip() for line in text.splitlines() if line.startswith("## ")]
    assert headings[:5] == HEADINGS


@pytest.mark.parametrize("service", SERVICES)
def test_a_command_file_is_named_for_its_one_public_function(service: str) -> None:
    for path in sorted((package(service) / "commands").glob("*.py")):
        public = [
            node.name
            for node in ast.parse(path.read_text()).body
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        ]
        if path.stem != "__init__":
            assert path.stem in public or (service, path.stem) in SHARED_STEPS, f"{path}: {public}"


SHARED_STEPS = {("users", "sessions")}
"""Steps of several commands, with no command of their own."""


PURE = [*((service, "rules") for service in SERVICES), ("trades", "limits")]


@pytest.mark.parametrize(("service", "room"), PURE)
def test_rules_import_nothing_but_the_standard_library(service: str, room: str) -> None:
    for node in ast.walk(ast.parse((package(service) / f"{room}.py").read_text())):
        found = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found += [node.module or "."] if isinstance(node, ast.ImportFrom) else []
        assert {name.partition(".")[0] for name in found} <= sys.stdlib_module_names


@pytest.mark.parametrize("service", SERVICES)
def test_everything_but_the_door_runs_without_nameko_and_eventlet(service: str) -> None:
    modules = [
        ".".join(path.relative_to(package(service).parent).with_suffix("").parts)
        for path in package(service).rglob("*.py")
        if path.name not in ("service.py", "__init__.py")
    ]
    code = f"""
import sys
{chr(10).join(f"import {name}" for name in sorted(modules))}
print(sorted({{"nameko", "eventlet", "kombu"}} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
