"""Which services there are, and who may call whom: the one list that launcher, topology and tests go by."""

from __future__ import annotations

from importlib import import_module
from typing import Final

from shared.chassis.topology import Plan

SERVICES: Final[dict[str, str]] = {
    "users": "users.service:UsersService",
    "billing": "billing.service:BillingService",
    "trades": "trades.service:TradesService",
    "referrals": "referrals.service:ReferralsService",
    "commission": "commission.service:CommissionService",
    "notifications": "notifications.service:NotificationsService",
    "audit": "audit.service:AuditService",
}
"""Name of the service to `module:Class`."""

CALLS: Final[dict[str, tuple[str, ...]]] = {
    "trades": ("billing",),
    "users": ("referrals",),
    # Also those that a deployment does not run: asking for them must give "nobody is there", not "forbidden", which
    # closes the channel that all other calls share.
    "gateway": tuple(SERVICES),
}
"""The call graph, without cycles: a caller's broker user may reach these services and no others."""

GATEWAY_EVENTS: Final[dict[str, tuple[str, ...]]] = {"users": ("session_revoked", "user_updated")}
"""What the gateway listens to while it is up, by owner."""

BROKER_USERS: Final = (*SERVICES, "relay", "gateway", "nexus_monitor")


def database_name(service: str) -> str:
    """The name of a service's database."""
    return f"nexus_{service}"


def plan() -> Plan:
    """The topology's input; imports all contracts, so that every event is known."""
    for service in SERVICES:
        import_module(f"shared.contracts.{service}.events")
    return Plan(services=tuple(SERVICES), calls=CALLS, gateway_events=GATEWAY_EVENTS)
