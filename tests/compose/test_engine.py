"""The images are built, come up healthy, do business, and stop in order. `./nexus test tests/compose --engine`.

Bases may be others than the public ones: PYTHON_IMAGE, POSTGRES_IMAGE, RABBITMQ_IMAGE and BUILD_NETWORK are passed on.
"""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import docker
from client.http import Http
from client.person import Person
from client.story import Story
from shared.chassis.testing.waiting import eventually
from shared.devstack.registry import SERVICES
from shared.devstack.state import free_ports
from tests.compose.composed import OURS, ROOT, SECRETS, SERVERS
from tests.compose.test_compose import own_secrets

pytestmark = [pytest.mark.engine, pytest.mark.stack, pytest.mark.timeout(1800), pytest.mark.xdist_group("engine")]

PROJECT = f"nexus-test-{secrets.token_hex(3)}"
UP = ("up", "--detach", "--wait", "--wait-timeout", "420")


@dataclass(frozen=True)
class Composed:
    """The whole of it, running; `values` are what its .env sets."""

    values: dict[str, str]
    env_file: Path
    engine: docker.DockerClient

    def compose(self, *arguments: str, seconds: float = 600) -> str:
        """What `docker compose` prints; fails the test with its errors, and the logs of who is not well."""
        command = ["docker", "compose", "--project-name", PROJECT, "--env-file", str(self.env_file), *arguments]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)
        assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr[-500:]}\n{self.complaints()}"
        return done.stdout

    def complaints(self) -> str:
        """Of each container that is not well: its state, what its health check said last, the end of its log."""
        found = []
        for service in (*SERVERS, *OURS):
            for one in self.containers(service):
                state = one.attrs["State"]
                health = state.get("Health") or {"Status": "", "Log": []}
                if health["Status"] not in ("", "healthy") or state["ExitCode"]:
                    said = [look["Output"] for look in health["Log"][-1:]]
                    found.append(
                        f"{one.name}: {state['Status']} {health['Status']} {said}\n{one.logs(tail=15).decode()}"
                    )
        return "\n".join(found)

    def containers(self, service: str) -> list[Any]:
        """The containers of a service."""
        label = [f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}"]
        found: list[Any] = self.engine.containers.list(all=True, filters={"label": label})
        return found

    def state(self, service: str) -> dict[str, Any]:
        """What the engine knows of the service's first container."""
        found: dict[str, Any] = self.containers(service)[0].attrs
        return found

    def run_python(self, service: str, code: str) -> str:
        """What a program prints in the service's container."""
        exit_code, output = self.containers(service)[0].exec_run(["python3", "-c", code])
        assert exit_code == 0, output.decode()
        return str(output.decode().strip())


@pytest.fixture(scope="module")
def composed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Composed]:
    made = subprocess.run([ROOT / "docker" / "secrets.sh"], capture_output=True, text=True, check=True).stdout
    values = dict(line.split("=", 1) for line in made.splitlines())
    # The story makes many requests from one address, and names accounts as only development allows.
    values |= {"RATE_LIMIT_ANONYMOUS": "60000", "RATE_LIMIT_USER": "60000", "ALLOW_UNLINKED_REAL": "true"}
    values |= {"GATEWAY_PORT": str(free_ports(1)[0]), "NEXUS_VERSION": PROJECT}
    bases = ("PYTHON_IMAGE", "POSTGRES_IMAGE", "RABBITMQ_IMAGE", "BUILD_NETWORK")
    values |= {name: os.environ[name] for name in bases if name in os.environ}
    env_file = tmp_path_factory.mktemp("compose") / "env"
    env_file.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    made_here = Composed(values, env_file, docker.from_env())
    try:
        made_here.compose("build", seconds=1500)
        made_here.compose(*UP)
        yield made_here
    finally:
        made_here.compose("down", "--volumes", "--timeout", "60")
        for image in made_here.engine.images.list(filters={"reference": f"nexus/*:{PROJECT}"}):
            made_here.engine.images.remove(f"{image.tags[0]}")
        made_here.engine.close()


def test_everything_is_healthy(composed: Composed) -> None:
    for name in (*SERVERS, *OURS[1:]):
        assert composed.state(name)["State"]["Health"]["Status"] == "healthy", name
    assert composed.state("setup")["State"]["ExitCode"] == 0


@pytest.mark.parametrize("name", [*SERVERS, *OURS])
def test_the_engine_keeps_containers_in_their_bounds(composed: Composed, name: str) -> None:
    found = composed.state(name)
    host = found["HostConfig"]
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Privileged"] is False
    if name in OURS:
        assert found["Config"]["User"] == "10001:10001"
    told = "\n".join(found["Config"]["Env"])
    known = {secret for secret in SECRETS if composed.values[secret] in told}
    assert known == own_secrets(name)


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_has_one_service_and_nothing_to_install_with(composed: Composed, name: str) -> None:
    listing = "import pathlib; print(*(p.name for p in pathlib.Path('/app/services').iterdir()))"
    assert composed.run_python(name, listing) == name
    looking = "import importlib.util as u; print([n for n in ('pip', 'setuptools', 'pytest') if u.find_spec(n)])"
    assert composed.run_python(name, looking) == "[]"
    found = "import pathlib; print([str(p) for p in pathlib.Path('/app').rglob('tests')])"
    assert composed.run_python(name, found) == "[]"


def test_the_demos_story_adds_up(composed: Composed) -> None:
    http = Http(int(composed.values["GATEWAY_PORT"]))
    try:
        staff = Person(http, "admin", composed.values["STAFF_PASSWORD"])
        staff.log_in()
        story = Story(http, staff, print)
        story.run()
        report = story.report()
    finally:
        http.close()
    assert [check for check in report["checks"] if not check["ok"]] == []
    assert report["ok"]
    verified = json.loads(composed.compose("run", "--rm", "--no-deps", "setup", "verify", "--json"))
    assert verified["violations"] == []


def test_a_frozen_service_shows_in_its_own_health_and_in_the_gateways(composed: Composed) -> None:
    (frozen,) = composed.containers("notifications")
    frozen.pause()
    try:
        for name in ("notifications", "gateway"):
            eventually(lambda n=name: composed.state(n)["State"]["Health"]["Status"] == "unhealthy", timeout=90)
    finally:
        frozen.unpause()
    for name in ("notifications", "gateway"):
        eventually(lambda n=name: composed.state(n)["State"]["Health"]["Status"] == "healthy", timeout=90)


def test_a_service_runs_twice(composed: Composed) -> None:
    composed.compose(*UP, "--no-recreate", "--scale", "billing=2")
    healthy = [one.attrs["State"]["Health"]["Status"] for one in composed.containers("billing")]
    assert healthy == ["healthy", "healthy"]


def test_everything_ends_in_order_and_comes_back_with_its_data(composed: Composed) -> None:
    """Last of all: it stops what the others need."""
    composed.compose("stop")
    for name in (*SERVERS, *OURS):
        for one in composed.containers(name):
            assert one.attrs["State"]["ExitCode"] == 0, f"{one.name}: {one.logs(tail=20).decode()}"
    composed.compose(*UP)
    http = Http(int(composed.values["GATEWAY_PORT"]))
    try:
        staff = Person(http, "admin", composed.values["STAFF_PASSWORD"])
        staff.log_in()
        assert staff.get("/users/me")["username"] == "admin"
    finally:
        http.close()
