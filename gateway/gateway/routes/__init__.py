"""The routes of the API, by what they are about."""

from __future__ import annotations

from gateway.endpoint import Endpoint
from gateway.routes import (
    accounts,
    audit,
    auth,
    commission,
    dashboard,
    halts,
    health,
    limits,
    market,
    notifications,
    referrals,
    statistics,
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
    *statistics.ENDPOINTS,
    *limits.ENDPOINTS,
    *market.ENDPOINTS,
    *halts.ENDPOINTS,
    *commission.ENDPOINTS,
    *referrals.ENDPOINTS,
    *notifications.ENDPOINTS,
    *audit.ENDPOINTS,
    *dashboard.ENDPOINTS,
    *health.ENDPOINTS,
]
