"""Parked messages: list them, show one, send one or all back to where they came from."""

from __future__ import annotations

from cli import common
from shared.devstack.environment import find_servers
from shared.devstack.registry import SERVICES


def main(argv: list[str]) -> int:
    """Exit 0; 1 when nothing matched a redrive or show."""
    options = common.parser("parking", __doc__)
    options.add_argument("action", choices=["list", "show", "redrive"])
    options.add_argument("service", nargs="?", choices=list(SERVICES), help="default for list: all")
    options.add_argument("--id", help="the message's id; redrive without it sends all of the service's")
    chosen = options.parse_args(argv)
    credentials = chosen.state.credentials()
    if credentials is None:
        return common.fail(f"{chosen.state.folder} holds no stack")
    if chosen.action != "list" and chosen.service is None:
        options.error("name the service")
    from shared.chassis.parking import Parking

    url = find_servers(chosen.state, credentials).amqp_url
    if chosen.action == "redrive":
        sent = Parking(url, chosen.service).redrive(chosen.id)
        print(f"nexus: {len(sent)} messages sent back to {chosen.service}")
        return 0 if sent else 1
    for service in [chosen.service] if chosen.service else SERVICES:
        for message in Parking(url, service).messages():
            if chosen.id and message.message_id != chosen.id:
                continue
            print(f"{service}  {message.message_id}  {message.type}  {message.reason}  {message.error or ''}")
            if chosen.action == "show":
                print(message.body)
    return 0
