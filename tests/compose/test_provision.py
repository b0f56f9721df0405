"""Bare servers become a deployment's by one verb, which can be run again at any time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlsplit

import psycopg2
import pytest

from shared.chassis import migrations
from shared.chassis.broker_api import BrokerApi
from shared.chassis.testing.broker import AMQP, API
from shared.chassis.testing.databases import PREFIX
from shared.devstack.postgres import Postgres, wait_until_ready
from shared.devstack.registry import SERVICES
from shared.devstack.state import free_ports
from tests.compose.composed import ROOT, environment

VHOST = f"{PREFIX}_provision"
# As all tests have them: users of the broker belong to the whole broker.
NAMES = {f"{user.upper()}_AMQP_PASSWORD": user for user in (*SERVICES, "relay", "gateway")}


@dataclass(frozen=True)
class Bare:
    """Servers with nothing on them, and the environment of `setup` that names them."""

    admin_url: str
    told: dict[str, str]

    def run(self, *verb: str, without: str = "", more: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Exit code of a verb and what it said."""
        told = {name: value for name, value in self.told.items() if name != without}
        done = subprocess.run(
            [sys.executable, ROOT / "manage.py", *verb],
            env={"PATH": os.environ["PATH"], **told, **(more or {})},
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        return done.returncode, done.stdout + done.stderr

    def read(self, url: str, query: str) -> list[tuple[object, ...]]:
        """Rows of a query."""
        with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bare]:
    folder = tmp_path_factory.mktemp("provision")
    server = Postgres(folder / "postgres", port=free_ports(1)[0], password="admin", fsync=False)
    server.folder.mkdir()
    server.prepare()
    child = server.start(subprocess.DEVNULL)
    api = BrokerApi(API)
    try:
        wait_until_ready(server.admin_url, seconds=30)
        yield Bare(server.admin_url, told(server, folder))
    finally:
        api.delete_vhost(VHOST)
        child.send_signal(signal.SIGINT)
        child.wait(20)


def told(server: Postgres, folder: Path) -> dict[str, str]:
    """What compose tells `setup`, at servers of the test's."""
    amqp, api = urlsplit(AMQP), urlsplit(API)
    found = environment("setup", {**NAMES, "MONITOR_AMQP_PASSWORD": "nexus_monitor", "STAFF_PASSWORD": "a long word"})
    places = {
        "@postgres/": f"@127.0.0.1:{server.port}/",
        "@rabbitmq/nexus": f"@{amqp.hostname}:{amqp.port}/{quote(VHOST)}",
        "@rabbitmq:15672": f"@{api.hostname}:{api.port}",
        "/keys/": f"{folder}/keys/",
    }
    for name in found:
        for there, here in places.items():
            found[name] = found[name].replace(there, here)
    for key in ("jwt-private", "jwt-public", "audit-seal"):
        (folder / "keys" / key).mkdir(parents=True)
    return found | {
        "NEXUS_POSTGRES_URL": server.admin_url,
        "NEXUS_AMQP_URL": f"amqp://{amqp.netloc}/{quote(VHOST)}",
        "NEXUS_AMQP_API_URL": API,
        "NEXUS_STATE": str(folder / "none"),
        "DJANGO_SUPERUSER_USERNAME": "boss",
    }


@pytest.fixture(scope="module")
def provisioned(bare: Bare) -> Bare:
    code, said = bare.run("provision")
    assert code == 0, said
    return bare


pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("provision")]


def test_nothing_is_touched_when_the_environment_tells_too_little(bare: Bare) -> None:
    code, said = bare.run("provision", without="AUDIT_RELAY_DB_URL")
    assert (code, "AUDIT_RELAY_DB_URL is not set" in said) == (1, True), said
    stranger = {"AUDIT_DB_URL": bare.told["BILLING_DB_URL"]}
    code, said = bare.run("provision", more=stranger)
    assert (code, "AUDIT_DB_URL must name the user audit" in said) == (1, True), said
    assert bare.read(bare.admin_url, "SELECT 1 FROM pg_roles WHERE rolname = 'billing'") == []


def test_prod_with_the_passwords_of_development_is_refused(bare: Bare) -> None:
    code, said = bare.run("provision", more={"NEXUS_ENV": "prod"})
    assert (code, "BILLING_OWNER_DB_URL holds" in said) == (1, True), said
    assert bare.read(bare.admin_url, "SELECT 1 FROM pg_roles WHERE rolname = 'billing'") == []


@pytest.mark.parametrize("service", SERVICES)
def test_every_service_finds_its_database_and_its_queues(provisioned: Bare, service: str) -> None:
    upper = service.upper()
    assert migrations.at_head(service, provisioned.told[f"{upper}_OWNER_DB_URL"])
    for url in (f"{upper}_DB_URL", f"{upper}_RELAY_DB_URL"):
        assert provisioned.read(provisioned.told[url], "SELECT count(*) FROM outbox")
    assert BrokerApi(API).missing(VHOST, service) == []


def test_a_role_reaches_its_own_database_alone(provisioned: Bare) -> None:
    theirs = provisioned.told["BILLING_DB_URL"].rpartition("/")[0] + "/nexus_users"
    with pytest.raises(psycopg2.OperationalError, match="permission denied"):
        provisioned.read(theirs, "SELECT 1")


def test_keys_are_made_for_their_owners_eyes(provisioned: Bare) -> None:
    for name in ("JWT_PRIVATE_KEY_FILE", "AUDIT_SEAL_KEY_FILE"):
        assert Path(provisioned.told[name]).stat().st_mode & 0o777 == 0o600
    assert len(list(Path(provisioned.told["JWT_PUBLIC_KEYS_DIR"]).glob("*.pem"))) == 1


def test_there_is_somebody_on_the_staff(provisioned: Bare) -> None:
    rows = provisioned.read(provisioned.told["USERS_DB_URL"], "SELECT username, is_staff FROM users")
    assert rows == [("boss", True)]


def test_nobody_is_made_where_no_password_is_set(provisioned: Bare) -> None:
    code, said = provisioned.run(
        "provision", more={"NEXUS_SUPERUSER_PASSWORD": "", "DJANGO_SUPERUSER_USERNAME": "other"}
    )
    assert code == 0, said
    assert provisioned.read(provisioned.told["USERS_DB_URL"], "SELECT count(*) FROM users") == [(1,)]


def test_again_it_changes_no_key_and_makes_nobody(provisioned: Bare) -> None:
    keys = {name: Path(provisioned.told[name]).read_bytes() for name in ("JWT_PRIVATE_KEY_FILE", "AUDIT_SEAL_KEY_FILE")}
    code, said = provisioned.run("provision")
    assert (code, "boss is there already" in said) == (0, True), said
    assert keys == {name: Path(provisioned.told[name]).read_bytes() for name in keys}
    assert provisioned.read(provisioned.told["USERS_DB_URL"], "SELECT count(*) FROM users") == [(1,)]


def test_a_password_is_changed_by_running_it_again(provisioned: Bare) -> None:
    new = provisioned.told["AUDIT_DB_URL"].replace(":dev-only@", ":another@")
    code, said = provisioned.run("provision", more={"AUDIT_DB_URL": new})
    assert code == 0, said
    assert provisioned.read(new, "SELECT 1") == [(1,)]
    with pytest.raises(psycopg2.OperationalError, match="password authentication failed"):
        provisioned.read(provisioned.told["AUDIT_DB_URL"], "SELECT 1")


@pytest.mark.parametrize("verb", [("topology", "check"), ("migrate",), ("parking", "list")])
def test_operators_verbs_work_in_the_same_environment(provisioned: Bare, verb: tuple[str, ...]) -> None:
    code, said = provisioned.run(*verb)
    assert code == 0, said


def test_provision_starts_no_server_of_its_own(bare: Bare) -> None:
    code, said = bare.run("provision", without="NEXUS_POSTGRES_URL")
    assert (code, "NEXUS_POSTGRES_URL is not set" in said) == (1, True), said
