"""Every test of the project has the chassis's fixtures. Order: what is fast first, whole stacks last."""

from __future__ import annotations

import os

import pytest

import gateway  # noqa: F401  # the package; pytest would take the folder of the same name above it for it

os.environ.setdefault("NEXUS_ENV", "test")
os.environ.setdefault("SECRET_KEY", "a secret of the tests")

pytest_plugins = ["shared.chassis.testing.plugin"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """What is deselected unless it is asked for."""
    parser.addoption("--engine", action="store_true", help="run the tests that need a container engine, too")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Stable, so that files keep their own order."""
    wanted = {"engine": config.getoption("--engine"), "long": "long" in config.getoption("-m")}
    away = [item for item in items for name, asked in wanted.items() if item.get_closest_marker(name) and not asked]
    if away:
        config.hook.pytest_deselected(items=away)
        items[:] = [item for item in items if item not in away]
    items.sort(key=lambda item: item.get_closest_marker("stack") is not None)
