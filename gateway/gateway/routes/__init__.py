"""The routes of the API, by what they are about."""

from __future__ import annotations

from gateway.endpoint import Endpoint
from gateway.routes import accounts, auth, dashboard, health, trades, transactions, users

ENDPOINTS: list[Endpoint] = [
    *auth.ENDPOINTS,
    *users.ENDPOINTS,
    *accounts.ENDPOINTS,
    *transactions.ENDPOINTS,
    *trades.ENDPOINTS,
    *dashboard.ENDPOINTS,
    *health.ENDPOINTS,
]
