"""What the chassis needs of the broker, and no more: users as the topology makes them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.contracts.errors import ServiceError

UUID = "[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
USERS = {
    "alpha": {"reads": "|rpc-alpha|alpha\\.events", "calls": "beta\\..*"},
    "beta": {"reads": "|rpc-beta|beta\\.events", "calls": "nobody"},
    "gateway": {"reads": "", "calls": "alpha\\..*"},
}


@pytest.fixture
def users(broker) -> Iterator[dict[str, str]]:
    """The URL of each restricted user."""
    urls = {}
    for name, rights in USERS.items():
        user = f"{broker.vhost}-{name}"
        replies = f"rpc\\.reply-{name}-.*"
        broker.api("PUT", f"/users/{user}", {"password": "pw", "tags": ""})
        broker.api(
            "PUT",
            f"/permissions/{{v}}/{user}",
            {
                "configure": f"^{replies}$",
                "write": f"^({replies}|nameko-rpc)$",
                "read": f"^({replies}|nameko-rpc{rights['reads']})$",
            },
        )
        topics = {"exchange": "nameko-rpc", "write": f"^({rights['calls']}|{UUID})$", "read": f"^{UUID}$"}
        broker.api("PUT", f"/topic-permissions/{{v}}/{user}", topics)
        urls[name] = broker.url.replace("admin:dev", f"{user}:pw")
    yield urls
    for name in USERS:
        broker.api("DELETE", f"/users/{broker.vhost}-{name}")


def test_services_and_gateway_work_with_their_own_rights_only(users, start, make_caller) -> None:
    alpha, beta = start("alpha", url=users["alpha"]), start("beta", url=users["beta"])
    caller = make_caller(users["gateway"])
    assert caller.call("alpha", "ask", method="echo", arguments={"note": "x"}) == {"note": "x"}
    assert alpha.health()["healthy"]
    assert beta.health()["healthy"]


def test_a_call_that_the_broker_forbids_fails_and_the_caller_lives_on(users, start, make_caller, eventually) -> None:
    start("alpha", url=users["alpha"])
    start("beta", url=users["beta"])
    caller = make_caller(users["gateway"])
    with pytest.raises(ServiceError) as error:
        caller.call("beta", "wait", mark="forbidden", milliseconds=1)
    assert error.value.status == 503
    eventually(lambda: caller.rpc.connected)
    assert caller.call("alpha", "echo", note="still here") == {"note": "still here"}
