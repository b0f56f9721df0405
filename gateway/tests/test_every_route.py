"""Every route that asks a service: it asks that one alone, and nothing that a client may send breaks it."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_type_hints
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gateway.endpoint import Endpoint
from gateway.routes import ENDPOINTS
from shared.contracts.audit import rpc as audit
from shared.contracts.billing import rpc as billing
from shared.contracts.commission import rpc as commission
from shared.contracts.notifications import rpc as notifications
from shared.contracts.referrals import rpc as referrals
from shared.contracts.trades import halts, limits, statistics
from shared.contracts.trades import rpc as trades
from shared.contracts.users import rpc as users

ROUTES = [endpoint for endpoint in ENDPOINTS if endpoint.tag not in ("health", "dashboard")]
SERVICES = {"auth": "users", "accounts": "billing", "transactions": "billing", "market": "trades", "limits": "trades"}
"""By tag, where the two are not the same."""

CALLS: dict[str, dict[str, type | None]] = {
    "users": {
        "register": users.RegisterRequest,
        "log_in": users.LogInRequest,
        "refresh": users.RefreshRequest,
        "verify_token": users.VerifyTokenRequest,
        "log_out": users.RefreshRequest,
        "get_user": users.GetUserRequest,
        "set_user_markup": users.SetUserMarkupRequest,
    },
    "billing": {
        "open_demo_account": billing.OpenDemoRequest,
        "sync_real_account": billing.SyncRealRequest,
        "request_deposit": billing.DepositRequest,
        "complete_deposit": billing.CompleteRequest,
        "fail_deposit": billing.FailRequest,
        "get_account": billing.GetAccountRequest,
        "list_accounts": billing.ListAccountsRequest,
        "set_account_markup": billing.SetAccountMarkupRequest,
        "list_transactions": billing.ListTransactionsRequest,
    },
    "trades": {
        "quote": trades.QuoteRequest,
        "open_trade": trades.OpenTradeRequest,
        "get_trade": trades.GetTradeRequest,
        "list_trades": trades.ListTradesRequest,
        "close_trade": trades.CloseTradeRequest,
        "void_trade": trades.VoidTradeRequest,
        "sell_trade": trades.SellTradeRequest,
        "cancel_trade": trades.CancelTradeRequest,
        "get_value": trades.GetValueRequest,
        "get_proof": trades.GetProofRequest,
        "list_symbols": None,
        "list_ticks": trades.ListTicksRequest,
        "list_candles": trades.ListCandlesRequest,
        "list_seeds": trades.ListSeedsRequest,
        "get_limits": limits.GetLimitsRequest,
        "set_self_limits": limits.SetSelfLimitsRequest,
        "set_account_limits": limits.SetAccountLimitsRequest,
        "preview": limits.PreviewRequest,
        "get_statistics": statistics.GetStatisticsRequest,
        "halt_trading": halts.HaltRequest,
        "resume_trading": halts.ResumeRequest,
        "list_halts": None,
    },
    "commission": {
        "get_rule": commission.GetRuleRequest,
        "set_rule": commission.SetRuleRequest,
        "list_transactions": commission.ListCommissionsRequest,
    },
    "referrals": {
        "generate_code": referrals.GenerateCodeRequest,
        "change_code": referrals.ChangeCodeRequest,
        "list_codes": referrals.ListCodesRequest,
        "list_referrals": referrals.ListReferralsRequest,
    },
    "notifications": {
        "list_notifications": notifications.ListNotificationsRequest,
        "get_notification": notifications.NotificationRequest,
        "mark_read": notifications.NotificationRequest,
        "mark_all_read": None,
        "delete": notifications.NotificationRequest,
        "delete_all": None,
    },
    "audit": {"list_entries": audit.ListEntriesRequest, "record": audit.RecordRequest},
}

ID = "01920000-0000-7000-8000-0000000000ab"
_GOOD = {
    **dict.fromkeys(("username", "password", "refresh", "token", "symbol", "proposal_id", "reason", "prefix"), "abc"),
    **dict.fromkeys(("account_id", "user_id", "owner_id", "code_id", "subject_id"), ID),
    **dict.fromkeys(("amount", "stake", "payout", "min_payout", "min_price"), "10.50"),
    **dict.fromkeys(("markup_percentage", "markup_percent", "referral_percent"), "2.50"),
    **dict.fromkeys(("max_uses", "duration", "duration_seconds", "limit", "count", "first", "last"), 5),
    **dict.fromkeys(limits.LimitValues.__annotations__, "10.50"),
    **dict.fromkeys(("open_trades_max", "consecutive_losses"), 5),
    **dict.fromkeys(("cool_down_seconds", "granularity"), 60),
    **dict.fromkeys(("since", "until"), "2026-01-31"),
    **dict.fromkeys(("expires_at", "self_exclusion_until", "end"), "2030-01-01T00:00:00Z"),
    **dict.fromkeys(("referral_code", "code"), "SUMMER"),
    **dict.fromkeys(("is_default", "unread"), True),
    **dict.fromkeys(("tx_type", "action"), "DEPOSIT"),
    "barrier": "+0.37",
    "email": "ada@example.org",
    "deriv_account_id": "CR1",
    "transaction_id": "tx",
    "currency": "USD",
    "metadata": {"a": [1]},
    "disabled": False,
    "contract_type": "CALL",
    "direction": "RISE",
    "duration_unit": "s",
    "kind": "MARKUP",
    "after": "abc",
}
"""A good value for each field by its name; `reference` and `status` mean different things in different places."""

BAD: list[Any] = [
    *(None, True, False, 0, -1, 1.5, 10**30, -(10**30), 1e308, 5e-324),
    *("", " ", "x" * 10_000, "NaN", "Infinity", "-1.00", "+1", "1e3", "0x10", "1_000", "01.00", "' OR 1=1--", "../x"),
    *("\N{FULLWIDTH DIGIT ONE}.00", "\N{ARABIC-INDIC DIGIT THREE}", "\N{ZERO WIDTH SPACE}", "\uffff", "\U0001f600"),
    *(ID.upper(), ID[:-1], ID + "\n", "2026-99-99T99:99:99Z", "2030-01-01T00:00:00+02:00", "USD\n", "TRUE"),
    *([], [[]], [None], {}, {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}}}}, {"a": 10**30}),
]


def good(endpoint: Endpoint, cls: type | None) -> dict[str, Any]:
    """A value for every field of `cls`."""
    values = {
        **_GOOD,
        "reference": ID if endpoint.tag == "commission" else "abc",
        "status": "OPEN" if endpoint.tag == "trades" else "PENDING",
    }
    return {item.name: values[item.name] for item in dataclasses.fields(cls)} if cls is not None else {}


def url(endpoint: Endpoint, query: dict[str, Any], given: str | None = None) -> str:
    path = endpoint.path
    for name in endpoint.parameters:
        path = path.replace(f"{{{name}}}", given or (ID if name.endswith("_id") else "R_100"))
    texts = {name: json.dumps(value) if isinstance(value, bool) else value for name, value in query.items()}
    return f"{path}?{urlencode(texts)}" if texts else path


@dataclasses.dataclass
class Client:
    """Staff with a key, before a service that goes by its contract."""

    worker: Any
    service: Any
    headers: dict[str, str]

    def send(self, endpoint: Endpoint, *, body: Any = None, address: str | None = None) -> Any:
        """The endpoint's good request, but for what is given."""
        where = address if address is not None else url(endpoint, good(endpoint, endpoint.query))
        given = good(endpoint, endpoint.body) if body is None else body
        raw = json.dumps(given).encode() if endpoint.has_body else None
        return self.worker.send(endpoint.method, where, raw, self.headers)


@pytest.fixture
def client(endpoint: Endpoint, worker: Any, contracted: Any, as_staff: dict[str, str]) -> Client:
    name = SERVICES.get(endpoint.tag, endpoint.tag)
    key = {"Idempotency-Key": "a-key-of-sixteen-or-more"}
    json_ = {"Content-Type": "application/json"} if endpoint.has_body else {}
    return Client(worker, contracted(name, **CALLS[name]), {**as_staff, **key, **json_})


def every(*endpoints: Endpoint) -> Any:
    return pytest.mark.parametrize("endpoint", endpoints, ids=lambda e: f"{e.method} {e.path}")


@every(*ROUTES)
def test_a_route_asks_one_question_of_its_own_service(endpoint: Endpoint, client: Client, users: Any) -> None:
    answer = client.send(endpoint)
    assert answer.status in {endpoint.status, endpoint.status_again}, answer.body
    asked = [name for name, _ in client.service.calls if name not in ("list_revocations", "record")]
    assert len(asked) == 1
    assert {name for name, _ in users.calls} <= {"list_revocations", *CALLS["users"]}
    assert client.service is users or {name for name, _ in users.calls} <= {"list_revocations"}
    if endpoint.status == 204:
        assert answer.body == b""
        assert not {"content-type", "content-length", "transfer-encoding"} & set(answer.headers)
    else:
        assert set(answer.body) == set(get_type_hints(endpoint.answer))


@every(*(endpoint for endpoint in ROUTES if endpoint.body is not None))
def test_a_bad_field_is_named_or_taken_and_never_breaks_a_route(endpoint: Endpoint, client: Client) -> None:
    whole = good(endpoint, endpoint.body)
    for name in whole:
        for value in BAD:
            answer = client.send(endpoint, body={**whole, name: value})
            assert answer.status in {endpoint.status, endpoint.status_again, 422}, (name, value, answer.body)
            if answer.status == 422:
                assert {error["field"] for error in answer.body["errors"]} == {name}, (value, answer.body)
    closed = set(get_type_hints(endpoint.answer)) - set(whole) | {"", "__proto__", "is_staff"}
    for name in closed:
        answer = client.send(endpoint, body={**whole, name: "x"})
        assert [(error["field"], error["code"]) for error in answer.body["errors"]] == [(name, "unknown_field")]


@every(*ROUTES)
def test_a_bad_parameter_is_named_and_never_breaks_a_route(endpoint: Endpoint, client: Client) -> None:
    whole = good(endpoint, endpoint.query)
    for name in whole:
        for value in [v for v in BAD if not isinstance(v, bool | list | dict | None)]:
            answer = client.send(endpoint, address=url(endpoint, {**whole, name: value}))
            assert answer.status in {200, 422}, (name, value, answer.body)
            if answer.status == 422:
                assert {error["field"] for error in answer.body["errors"]} == {name}, (value, answer.body)
        twice = client.send(endpoint, address=f"{url(endpoint, whole)}&{name}=1")
        assert [(error["field"], error["code"]) for error in twice.body["errors"]] == [(name, "repeated")]
    many = "&".join(f"a{n}=1" for n in range(99))
    for query in ("colour=red", "%00=1", "%F0%9F%98%80=1", "=1", "limit%5B%5D=1", "%ff=1", "a=%ff", "&;=", many):
        assert client.send(endpoint, address=f"{url(endpoint, {})}?{query}").status == 422, query


@every(*(endpoint for endpoint in ROUTES if endpoint.parameters))
def test_what_cannot_be_an_id_or_a_name_is_not_found(endpoint: Endpoint, client: Client) -> None:
    no_names = ("..", "%00", "%2e%2e", "%ff", f"{ID}0", f"%20{ID}", f"{ID}%0a", "R-100", "R_100%0a", "%D9%A3" * 36)
    no_ids = ("x", "0", ID.upper()) if endpoint.parameters[0].endswith("_id") else ()
    for bad in (*no_names, *no_ids):
        answer = client.send(endpoint, address=url(endpoint, {}, bad))
        assert (answer.status, answer.headers["content-type"]) == (404, "application/problem+json"), bad


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=8,
)


@every(*(endpoint for endpoint in ROUTES if endpoint.body is not None))
@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_json_is_answered(endpoint: Endpoint, client: Client, data: Any) -> None:
    names = st.sampled_from(sorted(good(endpoint, endpoint.body)) or ["x"])
    body = data.draw(st.dictionaries(names, _VALUES, max_size=4) | _VALUES.filter(lambda value: value is not None))
    answer = client.send(endpoint, body=body)
    assert answer.status in {endpoint.status, endpoint.status_again, 400, 422}, answer.body
