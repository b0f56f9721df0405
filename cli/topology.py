"""Apply the broker's users, exchanges, queues and bindings, or check that they are there."""

from __future__ import annotations

from urllib.parse import unquote

from cli import common
from shared.devstack.environment import find_servers
from shared.devstack.registry import SERVICES, plan


def main(argv: list[str]) -> int:
    """Exit 1 when something is missing (check), naming it; queues that nobody declares are named too."""
    options = common.parser("topology", __doc__)
    options.add_argument("action", choices=["apply", "check"])
    chosen = options.parse_args(argv)
    credentials = chosen.state.credentials()
    if credentials is None:
        return common.fail(f"{chosen.state.folder} holds no stack", "./nexus up --detach")
    from shared.chassis import topology
    from shared.chassis.broker_api import BrokerApi

    servers, wanted = find_servers(chosen.state, credentials), plan()
    api, vhost = BrokerApi(servers.api_url), unquote(servers.vhost)
    definitions = topology.definitions(wanted)
    if chosen.action == "apply":
        api.import_rights(topology.rights(wanted, vhost, credentials.broker_passwords))
        api.import_definitions(vhost, definitions)
    lacking = {service: missing for service in SERVICES if (missing := api.missing(vhost, service))}
    known = {queue["name"] for queue in definitions["queues"]}
    orphans = sorted(q for q in api.queues(vhost) if q not in known and not q.startswith("rpc.reply-"))
    for name in orphans:
        print(f"nexus: queue {name} belongs to nobody")
    for service, missing in lacking.items():
        print(f"nexus: {service} lacks {', '.join(missing)}")
    return 1 if lacking else 0
