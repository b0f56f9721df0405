"""Each image holds what its process needs, locked by hashes, and can change nothing of it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from importlib.metadata import distribution
from pathlib import Path

import pytest

from shared.devstack.registry import SERVICES
from tests.compose.composed import ROOT

OF_SERVICES = {service: f"services/{service}/Dockerfile" for service in SERVICES}
DOCKERFILES = {**OF_SERVICES, "gateway": "gateway/Dockerfile", "tools": "docker/tools.Dockerfile"}
LOCKS = {**{s: f"services/{s}/requirements.txt" for s in SERVICES}, "gateway": "gateway/requirements.txt"}
_SERVICE = "import cli.run, cli.migrate, shared.chassis.runner, eventlet; eventlet.monkey_patch()"
LOADS = {
    **{s: f"{_SERVICE}; import shared.chassis.process, shared.chassis.migrations, {s}.service" for s in SERVICES},
    "gateway": "import cli.gateway, gateway.server",
    "tools": "import cli.provision, cli.relay, shared.chassis.relay.process, cli.verify, cli.parking",
}
"""What is imported at the latest when the process is at work."""


@cache
def lines(name: str) -> list[str]:
    """Instructions, with continued lines joined."""
    text = re.sub(r"\\\n\s*", "", (ROOT / DOCKERFILES[name]).read_text())
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def stages(name: str) -> list[list[str]]:
    """The instructions of each stage."""
    found: list[list[str]] = []
    for line in lines(name):
        if line.startswith("FROM "):
            found.append([])
        if found:
            found[-1].append(line)
    return found


def argument(name: str, instruction: str) -> str:
    """What the one `instruction` of the last stage says."""
    (found,) = (line.partition(" ")[2] for line in stages(name)[-1] if line.startswith(f"{instruction} "))
    return found


def test_images_of_services_differ_by_the_service_alone() -> None:
    texts = {service: (ROOT / path).read_text() for service, path in OF_SERVICES.items()}
    assert len({text.replace(service, "SERVICE") for service, text in texts.items()}) == 1


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_is_made_in_two_stages_from_a_base_that_can_be_another(name: str) -> None:
    assert lines(name)[0] == "ARG PYTHON_IMAGE=python:3.11-slim"
    build, final = stages(name)
    assert build[0] == "FROM ${PYTHON_IMAGE} AS build"
    assert final[0] == "FROM ${PYTHON_IMAGE}"
    assert not [line for line in lines(name) if line.startswith("ADD ") or "latest" in line]
    # A frontend would have to be fetched.
    assert "syntax=" not in (ROOT / DOCKERFILES[name]).read_text()


@pytest.mark.parametrize("name", DOCKERFILES)
def test_packages_come_by_hash_and_are_compiled_by_nobody(name: str) -> None:
    (install,) = (line for line in stages(name)[0] if "pip install" in line)
    for word in ("--require-hashes", "--only-binary=:all:", "--no-deps", "-r /requirements.txt"):
        assert word in install
    assert f"COPY {LOCKS.get(name, 'requirements/prod.txt')} /" in "\n".join(stages(name)[0])


@pytest.mark.parametrize("name", DOCKERFILES)
def test_the_last_stage_takes_what_was_made_and_runs_nothing(name: str) -> None:
    kinds = [line.partition(" ")[0] for line in stages(name)[-1]]
    assert "RUN" not in kinds
    assert all("--from=build" in line for line in stages(name)[-1] if line.startswith("COPY "))


@pytest.mark.parametrize("name", DOCKERFILES)
def test_a_process_is_nobody_special_and_says_how_it_is(name: str) -> None:
    final = stages(name)[-1]
    assert argument(name, "USER") == "10001:10001"
    assert final.index("USER 10001:10001") > max(n for n, line in enumerate(final) if line.startswith("COPY "))
    assert argument(name, "HEALTHCHECK").startswith('CMD ["python3", "manage.py", "health"')
    # As lists, so that no shell stands between the engine's signals and the process.
    assert argument(name, "ENTRYPOINT") == '["python3", "manage.py"]'
    assert isinstance(json.loads(argument(name, "CMD")), list)
    assert "HEALTH_DIR=/run/nexus" in argument(name, "ENV")


def test_the_context_has_no_tests_and_no_secrets() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[1] == "*", "everything is left out but for what follows"
    allowed = {line[1:] for line in ignored if line.startswith("!")}
    assert allowed == {"manage.py", "cli", "gateway", "requirements/prod.txt", "services", "shared"}
    assert {"**/tests", "**/__pycache__", "shared/chassis/testing"} <= set(ignored)


def laid_out(name: str, folder: Path) -> Path:
    """The files of an image, as its COPY lines say, without those that .dockerignore leaves out."""
    ignore = shutil.ignore_patterns("tests", "__pycache__", "testing")
    for line in stages(name)[0]:
        if line.startswith("COPY "):
            *sources, target = line.split()[1:]
            for source in sources:
                if (ROOT / source).is_dir():
                    shutil.copytree(ROOT / source, folder / target, ignore=ignore)
                elif not target.startswith("/"):
                    (folder / target).mkdir(parents=True, exist_ok=True)
                    shutil.copy(ROOT / source, folder / target)
    return folder


def installed(name: str, folder: Path) -> Path:
    """The packages of an image: of those that are installed here, what its lock names."""
    folder.mkdir()
    for locked in re.findall(r"(?m)^([\w.-]+)==", (ROOT / LOCKS.get(name, "requirements/prod.txt")).read_text()):
        for part in {file.parts[0] for file in distribution(locked).files or ()} - {"..", "__pycache__"}:
            if not (folder / part).exists():
                (folder / part).symlink_to(Path(sysconfig.get_path("purelib"), part))
    return folder


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_holds_what_its_process_imports(name: str, tmp_path: Path) -> None:
    app, packages = laid_out(name, tmp_path / "app"), installed(name, tmp_path / "packages")
    paths = [app, app / "gateway", *(app / "services").glob("*"), packages]
    code = f"import sys; sys.path[:0] = {[str(path) for path in paths]!r}; {LOADS[name]}"
    # Without site: neither what else is installed nor the tree that is worked on is seen.
    command = [sys.executable, "-I", "-S", "-W", "ignore", "-c", code]
    done = subprocess.run(command, cwd=app, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
