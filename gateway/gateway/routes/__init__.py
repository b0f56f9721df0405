"""The routes of the API, by what they are about."""

from __future__ import annotations

from gateway.endpoint import Endpoint
from gateway.routes import (
    accounts,
    audit,
    auth,
    commission,
    dashboard,
    health,
    market,
    notifications,
    referrals,
    trades,
    transactions,
    users,
)

ENDPOINTS: list[Endpoint] = [
    *auth.ENDPOINTS,
    *users.ENDPOINTS,
    *accounts.ENDPOINTS,
    *transactions.ENDPOINTS,
    *trades.ENDPOINTS,
    *market.ENDPOINTS,
    *commission.ENDPOINTS,
    *referrals.ENDPOINTS,
    *notifications.ENDPOINTS,
    *audit.ENDPOINTS,
    *dashboard.ENDPOINTS,
    *health.ENDPOINTS,
]
