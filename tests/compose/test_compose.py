"""docker-compose.yml runs what there is, and tells each container what is its own and nothing else."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from shared.devstack.registry import SERVICES
from shared.devstack.state import Credentials
from shared.devstack.supervisor import DRAIN_SECONDS
from shared.settings.declared import settings
from shared.settings.env import EnvConfig
from tests.compose.composed import OURS, ROOT, SECRETS, SERVERS, TEXT, composed, container, environment

EVERYBODY = {"NEXUS_ENV", "LOG_LEVEL", "LOG_FORMAT"}
NOT_TOLD = {
    "LOG_FILE": "the engine keeps the logs",
    "HEALTH_DIR": "the image says it",
    "PROCESS_NAME": "a container is one process",
    "RELAY_WAKE": "a name would have to be looked up for each commit: the relay looks ten times a second anyway",
    "DRAIN_TIMEOUT": "stop_grace_period goes with its default",
    "AUDIT_SEAL_OLD_KEYS_DIR": "keys are in one volume until somebody replaces one",
}
"""What processes read and containers are not told, and why."""
KEYS = {
    "jwt-private": {"setup": "rw", "users": "ro"},
    "jwt-public": {"setup": "rw", "users": "ro", "gateway": "ro"},
    "audit-seal": {"setup": "rw", "audit": "ro"},
}
BECOME_ANOTHER_USER = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "SETGID", "SETUID"}


def own_secrets(name: str) -> set[str]:
    """The variables with secrets that a container may know."""
    if name in SERVICES:
        upper = name.upper()
        return {f"{upper}_DB_PASSWORD", f"{upper}_AMQP_PASSWORD", f"{upper}_SECRET_KEY", "MONITOR_AMQP_PASSWORD"}
    return {
        "postgres": {"POSTGRES_PASSWORD"},
        "rabbitmq": {"RABBITMQ_PASSWORD"},
        "relay": {"RELAY_AMQP_PASSWORD", *(f"{service.upper()}_RELAY_DB_PASSWORD" for service in SERVICES)},
        "gateway": {"GATEWAY_AMQP_PASSWORD"},
        "setup": {secret for secret in SECRETS if not secret.endswith("_SECRET_KEY")},
    }[name]


def read_by(name: str) -> set[str]:
    """The settings that a process reads, as they are declared."""
    readers = {name, "all"} if name in SERVICES else {name}
    found = {one.name.replace("*", name.upper()) for one in settings() if readers & set(one.readers)}
    found |= {f"{name.upper()}_AMQP_URL"}
    if name == "relay":
        found |= {f"{service.upper()}_RELAY_DB_URL" for service in SERVICES}
    return found - {"RELAY_RELAY_DB_URL"} - set(NOT_TOLD)


def seconds(text: str) -> float:
    return float(text.removesuffix("s"))


def test_it_runs_every_service_and_what_they_need() -> None:
    assert set(composed()["services"]) == {*SERVERS, *OURS}


@pytest.mark.parametrize("name", [*SERVICES, "relay", "gateway"])
def test_a_container_is_told_exactly_what_its_process_reads(name: str) -> None:
    assert set(container(name)["environment"]) == read_by(name) | EVERYBODY


@pytest.mark.parametrize("name", [*SERVERS, *OURS])
def test_a_container_knows_no_secret_but_its_own(name: str) -> None:
    text = str(container(name, {secret: f"<{secret}>" for secret in SECRETS}))
    assert {secret for secret in SECRETS if f"<{secret}>" in text} == own_secrets(name)


@pytest.mark.parametrize("name", [*SERVERS, *OURS])
def test_keys_are_where_they_are_needed(name: str) -> None:
    mounted = {}
    for volume in container(name).get("volumes", ()):
        source, _, mode = volume.partition(":")
        if source in KEYS:
            mounted[source] = "ro" if mode.endswith(":ro") else "rw"
    assert mounted == {key: who[name] for key, who in KEYS.items() if name in who}


def test_setup_makes_the_users_that_the_others_are_told_of() -> None:
    told = {secret: f"of-{secret.lower()}" for secret in SECRETS}
    made = Credentials.told(EnvConfig(environment("setup", told), dotenv=None)).passwords
    logins = {}
    for name in OURS[1:]:
        for variable, value in environment(name, told).items():
            if variable.endswith("_URL"):
                parts = urlsplit(value)
                prefix = "" if parts.scheme == "postgresql" else "broker_"
                logins[f"{prefix}{parts.username}"] = parts.password
    owners = {f"{service}_owner" for service in SERVICES}
    assert logins.items() <= made.items()
    assert made.keys() - logins.keys() == owners | {"nexus_verify"}


@pytest.mark.parametrize("name", [*SERVERS, *OURS])
def test_a_container_can_do_no_more_than_it_must(name: str) -> None:
    found = container(name)
    assert found["read_only"] is True
    assert found["cap_drop"] == ["ALL"]
    assert found["security_opt"] == ["no-new-privileges:true"]
    assert found["pids_limit"] <= 512
    assert found["logging"]["options"].keys() == {"max-size", "max-file"}
    assert not found.keys() & {"privileged", "network_mode", "pid", "ipc", "devices", "container_name"}
    # Named volumes alone: nothing of the machine that it runs on.
    assert {volume.partition(":")[0] for volume in found.get("volumes", ())} <= composed()["volumes"].keys()
    if name in OURS:
        assert found["user"] == "10001:10001"
        assert found["init"] is True
        assert "cap_add" not in found
    else:
        # They begin as root; a process in front of them could not signal them once they are somebody else.
        assert set(found["cap_add"]) == BECOME_ANOTHER_USER
        assert "init" not in found


def test_only_the_gateway_is_reached_from_outside_and_never_reaches_a_database() -> None:
    networks = composed()["networks"]
    assert {name for name, network in networks.items() if not (network or {}).get("internal")} == {"outside"}
    of = {name: set(container(name)["networks"]) for name in (*SERVERS, *OURS)}
    assert [name for name, where in of.items() if "outside" in where] == ["gateway"]
    assert [name for name in of if "ports" in container(name)] == ["gateway"]
    assert container("gateway")["ports"] == ["127.0.0.1:8000:8000"]
    assert "database" not in of["gateway"]
    assert of["rabbitmq"] == {"broker"}
    assert of["postgres"] == {"database"}


def conditions(name: str) -> dict[str, str]:
    found: Any = container(name).get("depends_on", {})
    if isinstance(found, list):
        return dict.fromkeys(found, "service_started")
    return {other: what["condition"] for other, what in found.items()}


def test_nothing_of_ours_starts_before_setup_has_ended_well() -> None:
    assert conditions("setup") == dict.fromkeys(SERVERS, "service_healthy")
    assert container("setup")["restart"] == "no"
    for name in ("relay", *SERVICES):
        assert conditions(name)["setup"] == "service_completed_successfully"


def test_what_is_asked_by_others_stops_after_them() -> None:
    assert conditions("gateway").keys() == set(SERVICES)
    assert all("relay" in conditions(service) for service in SERVICES)


@pytest.mark.parametrize("name", [*SERVICES, "relay", "gateway"])
def test_a_process_may_finish_what_it_has_in_hand(name: str) -> None:
    assert seconds(container(name)["stop_grace_period"]) > DRAIN_SECONDS
    assert container(name)["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", [*SERVERS, *OURS[1:]])
def test_health_is_looked_at_often_and_over_tcp(name: str) -> None:
    check = container(name)["healthcheck"]
    assert seconds(check["interval"]) <= 10
    assert seconds(check["timeout"]) >= 5
    if name == "postgres":
        assert "--host=127.0.0.1" in check["test"]
    elif name == "rabbitmq":
        assert check["test"][0] == "CMD"
    else:
        assert "test" not in check, "the image says how"


@pytest.mark.parametrize("name", OURS)
def test_an_image_is_built_here_from_a_base_that_can_be_another(name: str) -> None:
    build = container(name, {"PYTHON_IMAGE": "registry/python:x", "BUILD_NETWORK": "host"})["build"]
    assert build["args"] == {"PYTHON_IMAGE": "registry/python:x"}
    assert build["network"] == "host"
    assert (ROOT / build["dockerfile"]).is_file()
    tools = name in ("setup", "relay")
    assert container(name, {"NEXUS_VERSION": "1.2.3"})["image"] == f"nexus/{'tools' if tools else name}:1.2.3"


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_is_an_image_that_can_be_another(name: str) -> None:
    assert container(name, {f"{name.upper()}_IMAGE": "mine:1"})["image"] == "mine:1"
    assert ":" in container(name)["image"]


def test_it_says_nothing_twice() -> None:
    """YAML's reader here takes the last of two; compose refuses both."""

    def look(node: yaml.Node) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), keys
        for child in node.value if isinstance(node, yaml.CollectionNode) else ():
            for part in child if isinstance(child, tuple) else (child,):
                look(part)

    look(yaml.compose(TEXT))


def test_it_stands_by_itself() -> None:
    """No variable without a default, and no address of a registry."""
    assert "${" not in str(composed())
    assert TEXT.count("://") == sum(TEXT.count(f"{scheme}://") for scheme in ("postgresql", "amqp", "http"))
