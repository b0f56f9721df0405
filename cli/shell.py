"""A Python shell with calls to all services and sessions of all databases, which only read; -c runs a line and ends."""

from __future__ import annotations

import code
import inspect
import readline
import rlcompleter
from collections.abc import Callable
from importlib import import_module
from types import SimpleNamespace
from typing import Any

from sqlalchemy import create_engine, func, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from cli import common
from shared.chassis.context import Context
from shared.chassis.rpc.sync import SyncRpc
from shared.contracts.errors import ServiceError
from shared.devstack.environment import Environment, find_servers
from shared.devstack.registry import SERVICES

_BANNER = """\
rpc.users.get_user(user_id=…)     calls, as {who}; as_user("ada").trades.list_trades() as somebody else
db.trades.execute(text("SELECT …"))   sessions that only read; tables.trades.trades and so on for select()
sql("trades", "SELECT … WHERE id = :id", id=…)   rows at once
"""


def main(argv: list[str]) -> int:
    """Exit 1 when there is no stack, no such user, or the line of -c fails."""
    options = common.parser("shell", __doc__)
    options.add_argument("--user", help="act as this user (name, address or id); by default as the system")
    options.add_argument("-c", "--command", help="run this and end; an expression's value is printed")
    chosen = options.parse_args(argv)
    credentials = chosen.state.credentials()
    if credentials is None:
        return common.fail(f"{chosen.state.folder} holds no stack", "./nexus up --detach")
    servers = find_servers(chosen.state, credentials)
    environment = Environment(chosen.state, credentials, servers)
    sessions = Sessions(environment.verify())
    calls = SyncRpc(environment.broker("gateway"))
    try:
        names = namespace(calls, sessions, chosen.user)
    except LookupError as error:
        calls.close()
        return common.fail(str(error))
    try:
        if chosen.command is not None:
            return _run(chosen.command, names)
        readline.set_completer(rlcompleter.Completer(names).complete)
        readline.parse_and_bind("tab: complete")
        code.interact(_BANNER.format(who=chosen.user or "the system"), local=names, exitmsg="")
        return 0
    finally:
        sessions.close()
        calls.close()


def namespace(calls: SyncRpc, sessions: Sessions, user: str | None) -> dict[str, Any]:
    """What the shell knows. Raises LookupError for a user whom nobody knows."""

    def as_user(name: str) -> SimpleNamespace:
        """Calls in somebody's name, with his rights."""
        return proxies(calls, sessions.context_of(name))

    def sql(service: str, statement: str, **values: Any) -> Any:
        """The rows of a statement, as dicts."""
        rows = getattr(sessions, service).execute(text(statement), values).mappings().all()
        getattr(sessions, service).rollback()
        return [dict(row) for row in rows]

    context = Context(kind="system") if user is None else sessions.context_of(user)
    metadata = {service: import_module(f"{service}.models").metadata for service in SERVICES}
    return {
        "rpc": proxies(calls, context),
        "as_user": as_user,
        "db": sessions,
        "sql": sql,
        "tables": SimpleNamespace(**{service: SimpleNamespace(**found.tables) for service, found in metadata.items()}),
        "select": select,
        "text": text,
        "func": func,
    }


def proxies(calls: SyncRpc, context: Context) -> SimpleNamespace:
    """Every method of every service, with the signature and the meaning that its contract gives."""
    return SimpleNamespace(**{service: _proxy(calls, service, context) for service in SERVICES})


def _proxy(calls: SyncRpc, service: str, context: Context) -> SimpleNamespace:
    protocol = getattr(import_module(f"shared.contracts.{service}.rpc"), f"{service.capitalize()}Rpc")
    methods = {name: found for name, found in inspect.getmembers(protocol, inspect.isfunction) if name[0] != "_"}
    return SimpleNamespace(**{name: _method(calls, service, found, context) for name, found in methods.items()})


def _method(calls: SyncRpc, service: str, promised: Callable[..., Any], context: Context) -> Callable[..., Any]:
    def call(**arguments: Any) -> Any:
        return calls.call(service, promised.__name__, ctx=context, **arguments)

    call.__name__, call.__doc__ = promised.__name__, promised.__doc__
    signature = inspect.signature(promised)
    call.__signature__ = signature.replace(parameters=list(signature.parameters.values())[1:])  # type: ignore[attr-defined]  # `help` shows it
    return call


class Sessions:
    """A SQLAlchemy session for each service's database, made when it is first used, by the role that only reads."""

    def __init__(self, urls: dict[str, str]) -> None:
        self._urls = urls

    def __getattr__(self, service: str) -> Session:
        if service.startswith("_") or service not in self._urls:
            raise AttributeError(service)
        url = make_url(self._urls[service]).set(drivername="postgresql+psycopg2")
        options = "-c default_transaction_read_only=on -c timezone=UTC"
        session = Session(create_engine(url, connect_args={"options": options}))
        setattr(self, service, session)
        return session

    def context_of(self, name: str) -> Context:
        """Who somebody is to services. Raises LookupError."""
        found = self.users.execute(
            text(
                "SELECT CAST(id AS text) AS id, is_staff FROM users"
                " WHERE CAST(id AS text) = :name OR lower(username) = lower(:name) OR lower(email) = lower(:name)"
            ),
            {"name": name},
        ).one_or_none()
        self.users.rollback()
        if found is None:
            raise LookupError(f"there is no user {name}")
        return Context(kind="staff" if found.is_staff else "user", user_id=found.id)

    def close(self) -> None:
        """Ends all of them."""
        for session in [one for one in vars(self).values() if isinstance(one, Session)]:
            session.close()


def _run(command: str, names: dict[str, Any]) -> int:
    try:
        compiled = compile(command, "<command>", "eval")
    except SyntaxError:
        compiled = compile(command, "<command>", "exec")
    try:
        value = eval(compiled, names)  # noqa: S307  # the operator's own line: that is what a shell is for
    except ServiceError as error:
        return common.fail(f"{error.code}: {error.detail}")
    if value is not None:
        print(value)
    return 0
