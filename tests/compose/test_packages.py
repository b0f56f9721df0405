"""Each service, the gateway and what they share is a package: built, installed and imported by itself."""

from __future__ import annotations

import re
import subprocess
import sys
import sysconfig
import tomllib
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from shared.devstack.registry import SERVICES
from tests.compose.composed import ROOT

FOLDERS = {"gateway": "gateway", **{service: f"services/{service}" for service in SERVICES}}


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each package, built without a network."""
    folder = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--wheel-dir", str(folder)]
    command += [f"./{path}" for path in ("shared", *FOLDERS.values())]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return {path.name.removeprefix("nexus_").partition("-")[0]: path for path in folder.glob("*.whl")}


def run(code: str, *path: Path) -> subprocess.CompletedProcess[str]:
    """Runs `code` with nothing to import but the wheels and what is locked."""
    paths = [*map(str, path), sysconfig.get_path("purelib")]
    return subprocess.run(
        [sys.executable, "-I", "-S", "-W", "ignore", "-c", f"import sys; sys.path[:0] = {paths!r}; {code}"],
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_is_built(wheels: dict[str, Path]) -> None:
    assert wheels.keys() == {"shared", *FOLDERS}


@pytest.mark.parametrize("name", FOLDERS)
def test_it_needs_nothing_of_ours_but_what_is_shared(name: str, wheels: dict[str, Path]) -> None:
    module = "gateway.app" if name == "gateway" else f"{name}.service"
    done = run(f"import {module}; print({module}.__file__)", wheels["shared"], wheels[name])
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(wheels[name]))


def test_a_wheel_has_the_code_and_no_tests(wheels: dict[str, Path]) -> None:
    for name, wheel in wheels.items():
        names = [path for path in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in path]
        assert {path.partition("/")[0] for path in names} == {name}
        assert not [path for path in names if "/tests/" in path or "/testing/" in path]
        assert f"{name}/__init__.py" in names


@cache
def project(folder: str) -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
    return found


def pins(path: str) -> dict[str, str]:
    """Name to version, markers and hashes."""
    text = re.sub(r"\\\n\s*", "", (ROOT / path).read_text())
    return dict(re.findall(r"(?m)^([\w.-]+)(?:\[[\w,]+\])?(==.*)$", text))


def names(requirements: list[str]) -> set[str]:
    return {re.split(r"[\[<>=@ ]", one, maxsplit=1)[0].lower() for one in requirements}


@pytest.mark.parametrize("name", FOLDERS)
def test_a_lock_is_a_part_of_the_whole_lock(name: str) -> None:
    locked, whole = pins(f"{FOLDERS[name]}/requirements.txt"), pins("requirements/prod.txt")
    assert locked.items() <= whole.items()
    assert all(re.search(r"--hash=sha256:[0-9a-f]{64}", pin) for pin in locked.values())
    assert "://" not in (ROOT / FOLDERS[name] / "requirements.txt").read_text()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_lock_has_what_the_package_asks_for(name: str) -> None:
    asked = project(FOLDERS[name])["project"]["dependencies"]
    extras = {extra for one in asked for extra in re.findall(r"^nexus-shared\[([\w,]+)\]", one)}
    shared = project("shared")["project"]
    wanted = names(asked) | names(shared["dependencies"])
    for extra in extras:
        wanted |= names(shared["optional-dependencies"][extra])
    assert wanted - {"nexus-shared"} <= pins(f"{FOLDERS[name]}/requirements.txt").keys()


def test_what_packages_ask_for_is_what_the_project_asks_for() -> None:
    base = names([line for line in (ROOT / "requirements" / "base.in").read_text().splitlines() if line])
    shared = project("shared")["project"]
    asked = names(
        [*shared["dependencies"], *(one for more in shared["optional-dependencies"].values() for one in more)]
    )
    for folder in FOLDERS.values():
        asked |= names(project(folder)["project"]["dependencies"])
    # `config` is served by others' servers, and is no package.
    assert base - asked == {"a2wsgi"}
    assert asked - base - {"nexus-shared"} == set()


@pytest.mark.parametrize("name", FOLDERS)
def test_a_package_has_a_name_a_version_and_a_history(name: str) -> None:
    found = project(FOLDERS[name])["project"]
    assert found["name"] == f"nexus-{name}"
    assert re.fullmatch(r"\d+\.\d+\.\d+", found["version"])
    text = (ROOT / FOLDERS[name] / "CHANGELOG.md").read_text()
    released = re.findall(r"(?m)^## \[?(\d+\.\d+\.\d+)", text)
    assert "## Unreleased" in text
    assert not released or released[0] == found["version"]
