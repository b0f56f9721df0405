"""Every setting is declared once, in `shared/settings/declared.py`, and read; nothing else is read."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import billing.service
import commission.service
import gateway.settings
import trades.market.pricing
import trades.service
import users.service
from shared.devstack.registry import SERVICES
from shared.settings.checked import declaration, is_declared
from shared.settings.declared import settings
from shared.settings.env import EnvConfig
from shared.settings.setting import Setting

ROOT = Path(__file__).resolve().parents[2]
CODE = ("manage.py", "cli", "config", "client", "gateway/gateway", "services", "shared", "benchmarks", "conftest.py")
SCRIPTS = ("nexus", ".ci/run", "Makefile")
SYSTEM = {"PATH", "NO_COLOR"}
"""The operating system's own."""
ELSEWHERE = {
    # Processes of a stack log for people.
    ("shared/devstack/environment.py", "LOG_FORMAT"),
    # A deployment's first member of staff has a name in any case.
    ("cli/provision.py", "DJANGO_SUPERUSER_USERNAME"),
    ("cli/provision.py", "DJANGO_SUPERUSER_EMAIL"),
}
"""Defaults that hold in one place alone."""
TYPED = {
    "get": "text",
    "require": "text",
    "get_int": "whole number",
    "get_float": "number",
    "get_bool": "yes or no",
    "get_list": "list",
}


@dataclass(frozen=True)
class Read:
    """A variable that a module asks for, and its default where that stands there; `*`: the name of a service."""

    name: str
    how: str
    module: str
    default: object = None


def name_of(node: ast.AST) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(p.value if isinstance(p, ast.Constant) else "*" for p in node.values)
    return None


def reads(tree: ast.Module, module: str) -> Iterator[Read]:
    """What is read directly, and by way of functions of the same module that take the variable's name."""
    through: dict[str, tuple[int, str]] = {}
    for function in ast.walk(tree):
        parameters = [a.arg for a in function.args.args] if isinstance(function, ast.FunctionDef) else []
        for _, how, key in asked(function) if parameters else ():
            if isinstance(key, ast.Name) and key.id in parameters:
                through[function.name] = (parameters.index(key.id), how)
    for node, how, key in asked(tree):
        if name := name_of(key):
            given = node.args[1] if isinstance(node, ast.Call) and len(node.args) > 1 else None
            yield Read(name, how, module, given.value if isinstance(given, ast.Constant) else None)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in through:
            position, how = through[node.func.id]
            if len(node.args) > position and (name := name_of(node.args[position])):
                yield Read(name, how, module)


def asked(tree: ast.AST) -> Iterator[tuple[ast.AST, str, ast.AST]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            receiver = ending(node.func.value)
            if node.func.attr in TYPED and receiver in ("env", "settings", "source", "environ"):
                yield node, "environ" if receiver == "environ" else node.func.attr, node.args[0]
        elif isinstance(node, ast.Subscript) and ending(node.value) == "environ" and isinstance(node.ctx, ast.Load):
            yield node, "environ", node.slice


def ending(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def all_reads() -> list[Read]:
    found = []
    for part in CODE:
        path = ROOT / part
        for file in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            relative = file.relative_to(ROOT)
            if "tests" not in relative.parts and relative.parts[:2] != ("shared", "settings"):
                found += reads(ast.parse(file.read_text()), str(relative))
    for script in SCRIPTS:
        found += [Read(name, "environ", script) for name in re.findall(r"\$\{(NEXUS_\w+)", (ROOT / script).read_text())]
    return [one for one in found if re.fullmatch(r"[A-Z*][A-Z0-9_*]+", one.name)]


def reader(module: str) -> str:
    """Who runs a module."""
    parts = Path(module).parts
    if parts[0] in ("services", "gateway", "benchmarks"):
        return parts[1] if parts[0] == "services" else parts[0]
    if parts[:2] == ("shared", "chassis"):
        return {"relay": "relay", "testing": "tests"}.get(parts[2], "all")
    return {"utils": "all", "database": "beside"}.get(parts[1] if len(parts) > 1 else "", "cli")


READS = all_reads()


def declared(name: str) -> Setting:
    found = declaration(name)
    assert found is not None, f"{name} is not declared"
    return found


def written(default: object) -> str:
    """A default as it would stand in the environment."""
    return f"{default:g}" if isinstance(default, int | float) else str(default)


def test_no_module_reads_what_is_not_declared() -> None:
    unknown = {one.name for one in READS if not is_declared(one.name)} - SYSTEM
    assert unknown == set(), "declare it in shared/settings/declared.py"


def test_what_is_declared_is_read_by_whom_the_declaration_names() -> None:
    found: dict[str, set[str]] = {setting.name: set() for setting in settings()}
    for one in READS:
        if one.name not in SYSTEM:
            found[declared(one.name).name].add(reader(one.module))
    for setting in settings():
        # Command line and benchmarks may look at what they tell others; they are named where nobody else reads.
        others = found[setting.name] - {"cli", "benchmarks"}
        if "all" in others:
            others -= {"gateway", *SERVICES}
        assert (others or found[setting.name]) == set(setting.readers), setting.name


def test_it_is_read_as_what_it_is_declared_to_be() -> None:
    texts = {"text", "path", "URL", "decimal"}
    for one in READS:
        if one.how != "environ" and one.name not in SYSTEM:
            kind = declared(one.name).kind
            assert TYPED[one.how] == ("text" if kind in texts else kind), f"{one.module}: {one.name}"


def test_names_are_declared_once_and_sections_say_who_sets_them() -> None:
    names = [setting.name for setting in settings()]
    assert len(names) == len(set(names))
    assert all(setting.meaning and not setting.meaning.endswith(".") for setting in settings())


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('env.get_int("STAKE", 1)', [("STAKE", "get_int")]),
        ('env.require(f"{service.upper()}_DB_URL")', [("*_DB_URL", "require")]),
        ('os.environ["STAKE"] + os.environ.get("PAYOUT", "")', [("PAYOUT", "environ"), ("STAKE", "environ")]),
        ('def seconds(name, default): return env.get_float(name)\nseconds("STAKE", 1)', [("STAKE", "get_float")]),
        ('rows.get("STAKE")', []),
        ('os.environ["STAKE"] = "1"', []),
    ],
)
def test_the_look_at_the_code_finds_what_is_read(code: str, found: list[tuple[str, str]]) -> None:
    assert sorted((one.name, one.how) for one in reads(ast.parse(code), "x")) == found


def declared_values(reader_: str, *, lenient: bool) -> dict[str, str]:
    return {
        one.name: value
        for one in settings()
        if reader_ in one.readers
        and (value := one.default_dev if lenient and one.default_dev is not None else one.default) is not None
    }


@pytest.mark.parametrize("name", ["dev", "prod"])
@pytest.mark.parametrize(
    ("reader_", "load"),
    [
        ("gateway", gateway.settings.load),
        ("trades", trades.service.conditions_of),
        ("trades", trades.market.pricing.pricing_of),
        ("commission", commission.service.conditions_of),
        ("billing", billing.service.may_sync_unlinked),
    ],
)
def test_declared_defaults_are_those_of_the_code(reader_: str, load: Callable[[EnvConfig], Any], name: str) -> None:
    must = {"NEXUS_ENV": name, "GATEWAY_AMQP_URL": "amqp://x", "JWT_PUBLIC_KEYS_DIR": "x", "SECRET_KEY": "x"}
    said = declared_values(reader_, lenient=name != "prod") | must
    assert load(EnvConfig(said, dotenv=None)) == load(EnvConfig(must, dotenv=None))


def test_declared_defaults_of_users_are_those_of_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def house(values: dict[str, str]) -> dict[str, Any]:
        monkeypatch.setattr(users.service, "env", EnvConfig(values, dotenv=None))
        made = users.service.House()
        made.setup()
        return {"lifetimes": made.lifetimes, "lock_policy": made.lock_policy}

    assert house(declared_values("users", lenient=False)) == house({})


def test_defaults_that_stand_in_the_code_are_the_declared_ones() -> None:
    wrong = []
    for one in READS:
        if one.default is not None and one.name not in SYSTEM:
            setting = declared(one.name)
            known = {setting.default or "", setting.default_dev or ""}
            if written(one.default) not in known and (one.module, one.name) not in ELSEWHERE:
                wrong.append(f"{one.module}: {one.name} is {one.default}, declared {setting.default}")
    assert wrong == []
