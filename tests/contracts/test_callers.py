"""Whoever calls a service calls a method that it has, with arguments that it takes."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from cli.documents import sources
from shared.chassis.rpc.client import RpcTo
from shared.devstack.registry import CALLS, SERVICES

ROOT = Path(__file__).resolve().parents[2]
ANSWERED = {service: {m.name: m for m in sources.methods(service)} for service in SERVICES}


@dataclass(frozen=True)
class Asked:
    """A call that stands in the code; `arguments` where they are written out."""

    where: str
    service: str
    method: str
    arguments: frozenset[str] | None = None

    def problem(self) -> str | None:
        """What is wrong with it."""
        if self.method == "health":
            return None
        if self.method not in ANSWERED[self.service]:
            return f"{self.where}: {self.service} has no {self.method}"
        parameters = inspect.signature(ANSWERED[self.service][self.method].promised).parameters
        if self.arguments is None or any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
            return None
        known = parameters.keys() - {"self"}
        wanted = {name for name in known if parameters[name].default is inspect.Parameter.empty}
        if wrong := (self.arguments - known) | (wanted - self.arguments):
            return f"{self.where}: {self.service}.{self.method} and {', '.join(sorted(wrong))}"
        return None


def named_together(tree: ast.AST, where: str) -> Iterator[Asked]:
    """Every place where the name of a service is followed by another text, as in `ask("billing", "hold", {…})`."""
    for node in ast.walk(tree):
        items = node.args if isinstance(node, ast.Call) else node.elts if isinstance(node, ast.Tuple) else []
        for number, item in enumerate(items[:-1]):
            service, method = text(item), text(items[number + 1])
            if service in SERVICES and method is not None and method not in SERVICES:
                given = items[number + 2] if number + 2 < len(items) else None
                yield Asked(f"{where}:{item.lineno}", service, method, keys(given))


def text(node: ast.AST) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def keys(node: ast.AST | None) -> frozenset[str] | None:
    """The arguments in a dict that is written out."""
    if isinstance(node, ast.Dict) and all(key is not None and text(key) for key in node.keys):
        return frozenset(text(key) or "" for key in node.keys if key is not None)
    return None


def by_proxy(tree: ast.Module, where: str) -> Iterator[Asked]:
    """Every method that is called on a parameter whose type is the protocol of a service."""
    protocols = {f"{service.capitalize()}Rpc": service for service in SERVICES}
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.ClassDef):
            continue
        typed = {
            node.arg if isinstance(node, ast.arg) else getattr(node.target, "id", ""): node.annotation.id
            for node in ast.walk(function)
            if isinstance(node, ast.arg | ast.AnnAssign) and isinstance(node.annotation, ast.Name)
        }
        proxies = {name: protocols[type_] for name, type_ in typed.items() if type_ in protocols}
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                owner = node.func.value
                name = owner.id if isinstance(owner, ast.Name) else getattr(owner, "attr", "")
                if name in proxies:
                    given = frozenset(keyword.arg or "**" for keyword in node.keywords)
                    spread = "**" in given
                    yield Asked(
                        f"{where}:{node.lineno}",
                        proxies[name],
                        node.func.attr,
                        None if spread else given - {"timeout"},
                    )


def trees(*folders: str) -> Iterator[tuple[str, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "tests" not in path.relative_to(ROOT).parts:
                yield str(path.relative_to(ROOT)), ast.parse(path.read_text())


def test_the_gateway_asks_for_what_there_is() -> None:
    asked = [one for where, tree in trees("gateway/gateway") for one in named_together(tree, where)]
    assert {one.service for one in asked} == set(SERVICES)
    assert len(asked) >= 30
    assert [problem for one in asked if (problem := one.problem())] == []


def test_the_gateway_names_service_and_method_where_it_asks() -> None:
    """But for helpers, whose own callers name both."""
    hidden = {
        f"{where}:{node.lineno}"
        for where, tree in trees("gateway/gateway")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("ask", "ask_text", "pass_on")
        and text(node.args[0]) is None
    }
    assert {where.partition(":")[0] for where in hidden} <= {
        "gateway/gateway/endpoint.py",
        "gateway/gateway/routes/dashboard.py",
        "gateway/gateway/routes/health.py",
        "gateway/gateway/unknown_user.py",
    }


@pytest.mark.parametrize("service", [service for service in CALLS if service in SERVICES])
def test_services_ask_each_other_for_what_there_is(service: str) -> None:
    asked = [one for where, tree in trees(f"services/{service}/{service}") for one in by_proxy(tree, where)]
    assert {one.service for one in asked} == set(CALLS[service])
    assert [problem for one in asked if (problem := one.problem())] == []


@pytest.mark.parametrize("service", SERVICES)
def test_a_door_has_a_proxy_of_exactly_those_whom_it_may_call(service: str) -> None:
    cls = sources.door(service)
    found = [getattr(cls, name) for name in dir(cls) if isinstance(getattr(cls, name), RpcTo)]
    assert {proxy._service for proxy in found} == set(CALLS.get(service, ()))


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ('call.ask("billing", "get_account", {"account_id": "x"})', None),
        ('call.ask("billing", "get_acount", {"account_id": "x"})', "billing has no get_acount"),
        ('part(call, "billing", "get_account", {})', "account_id"),
        ('part(call, "billing", "get_account", {"account_id": 1, "id": 1})', "id"),
        ('asked = [("users", "nothing", {})]', "users has no nothing"),
    ],
)
def test_a_wrong_call_is_noticed(code: str, problem: str | None) -> None:
    (found,) = named_together(ast.parse(code), "here")
    said = found.problem()
    assert said is None if problem is None else problem in (said or "")


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        ("billing.release(hold_id='x')", None),
        ("billing.release(hold_id='x', timeout=1.0)", None),
        ("billing.release(hold='x')", "hold"),
        ("billing.drop(hold_id='x')", "billing has no drop"),
    ],
)
def test_a_wrong_call_by_proxy_is_noticed(call: str, problem: str | None) -> None:
    (found,) = by_proxy(ast.parse(f"def command(billing: BillingRpc) -> None:\n    {call}\n"), "here")
    said = found.problem()
    assert said is None if problem is None else problem in (said or "")


def test_protocols_are_where_callers_look_for_them() -> None:
    for service in SERVICES:
        module: Any = import_module(f"shared.contracts.{service}.rpc")
        assert hasattr(module, f"{service.capitalize()}Rpc")
