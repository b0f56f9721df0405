"""Send the present state of an owner's things to one service, so that it fills its copies."""

from __future__ import annotations

from importlib import import_module

from cli import common
from shared.devstack.environment import Environment, find_servers
from shared.devstack.registry import SERVICES


def main(argv: list[str]) -> int:
    """For example: republish users user_registered --to commission."""
    options = common.parser("republish", __doc__)
    options.add_argument("owner", choices=list(SERVICES))
    options.add_argument("type", help="an event that carries the present state, such as user_registered")
    options.add_argument("--to", required=True, choices=list(SERVICES), metavar="SERVICE", help="who is to hear it")
    chosen = options.parse_args(argv)
    credentials = chosen.state.credentials()
    if credentials is None:
        return common.fail(f"{chosen.state.folder} holds no stack", "./nexus up --detach")
    import_module(f"shared.contracts.{chosen.owner}.events")
    from shared.contracts.envelope import EVENTS

    event = EVENTS.get((chosen.owner, chosen.type))
    if event is None:
        return common.fail(f"{chosen.owner} has no event {chosen.type}", "docs/reference/events.md lists them")
    if chosen.to not in event.readers:
        return common.fail(f"{chosen.to} does not hear {chosen.type}")
    from shared.chassis.database import Database
    from shared.chassis.republish import republish

    present = getattr(import_module(f"{chosen.owner}.events"), "present", None)
    servers = find_servers(chosen.state, credentials)
    url = Environment(chosen.state, credentials, servers).database(chosen.owner, chosen.owner)
    try:
        if present is None:
            raise KeyError(chosen.type)
        sent = republish(Database(url), present, chosen.type, to=chosen.to, amqp_url=servers.amqp_url)
    except KeyError:
        return common.fail(f"{chosen.type} does not carry a present state that could be sent again")
    print(f"nexus: {sent} {chosen.type} sent to {chosen.to}")
    return 0
