"""A program beside Nexus reads users by the monolith's names, with or without a Django of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.exc import InternalError

from shared.chassis.database import Database
from shared.database import django
from shared.settings.env import EnvConfig, SettingError
from users.commands.create_staff import create_staff


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    monkeypatch.setattr(django, "_engine", None)
    yield
    if django._engine is not None:
        django._engine.dispose()


def test_users_are_read_and_never_written(database: Callable[[str], Database], monkeypatch: pytest.MonkeyPatch) -> None:
    db = database("users")
    now = datetime(2026, 1, 1, tzinfo=UTC)
    create_staff(db, username="ada", email="ada@example.org", password="an engine of analysis", now=now)
    url = db.url.render_as_string(hide_password=False)
    monkeypatch.setattr(django, "env", EnvConfig({"USERS_DB_URL": url}, dotenv=None))
    django.setup_django()
    django.setup_django()
    user_model = django.get_user_model()
    assert user_model.__name__ == "User"
    with django.session() as users:
        ada = users.scalars(select(user_model).where(user_model.username == "ada")).one()
        assert (ada.email, ada.is_staff, ada.created_at) == ("ada@example.org", True, now)
        ada.email = "eve@example.org"
        with pytest.raises(InternalError, match="read-only"):
            users.flush()


def test_it_says_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(django, "env", EnvConfig({}, dotenv=None))
    with pytest.raises(SettingError, match="USERS_DB_URL is not set"):
        django.setup_django()
    with pytest.raises(RuntimeError, match="setup_django"):
        django.session()


def test_a_project_whose_django_is_not_installed_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    monkeypatch.setitem(sys.modules, "django", None)
    for call in (django.setup_django, django.get_user_model):
        with pytest.raises(ImportError, match=r"shop\.settings, but Django is not installed"):
            call()


def test_a_django_project_keeps_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = []
    package: Any = ModuleType("django")
    package.setup = lambda: ready.append(True)
    auth: Any = ModuleType("django.contrib.auth")
    auth.get_user_model = lambda: dict
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "shop.settings")
    monkeypatch.setitem(sys.modules, "django", package)
    monkeypatch.setitem(sys.modules, "django.contrib", ModuleType("django.contrib"))
    monkeypatch.setitem(sys.modules, "django.contrib.auth", auth)
    django.setup_django()
    assert ready == [True]
    assert django.get_user_model() is dict
