"""For programs that used the monolith's models, such as a FastAPI application: the users' database, without Django.

    from shared.database.django import get_user_model, session, setup_django

    setup_django()                                   # at the start of the program
    User = get_user_model()
    with session() as users:
        ada = users.scalars(select(User).where(User.username == "ada")).one()

Nexus needs no Django. A program that is a Django project itself (it sets DJANGO_SETTINGS_MODULE) gets its own set up.
Reading alone: users is the only one who writes its tables, so that whoever must hear of a change does.
"""

from __future__ import annotations

import os
from functools import cache
from importlib import import_module
from typing import Any

from sqlalchemy import create_engine
from sqlalchemy.engine import Engine, make_url
from sqlalchemy.orm import Session, registry

from shared.settings.env import SettingError, env

_engine: Engine | None = None


def setup_django() -> None:
    """Makes `session` and `get_user_model` ready; connects to nothing yet.

    Raises SettingError without USERS_DB_URL, and ImportError when DJANGO_SETTINGS_MODULE asks for a Django that is not
    installed.
    """
    global _engine
    if module := os.environ.get("DJANGO_SETTINGS_MODULE"):
        _django("django", module).setup()
        return
    url = env.get("USERS_DB_URL")
    if not url:
        raise SettingError("USERS_DB_URL is not set: it names the database that User is read from")
    if _engine is None:
        read_only = {"options": "-c default_transaction_read_only=on -c timezone=UTC"}
        _engine = create_engine(
            make_url(url).set(drivername="postgresql+psycopg2"), pool_pre_ping=True, connect_args=read_only
        )


def get_user_model() -> type[Any]:
    """The class `User`: of a Django project its own, else one whose attributes are the columns of users' table.

    Raises ImportError when that Django, or the package of users, is not installed.
    """
    if module := os.environ.get("DJANGO_SETTINGS_MODULE"):
        found: type[Any] = _django("django.contrib.auth", module).get_user_model()
        return found
    return _user()


def session() -> Session:
    """A session that only reads. Raises RuntimeError before `setup_django`."""
    if _engine is None:
        raise RuntimeError("call setup_django() first")
    return Session(_engine)


@cache
def _user() -> type[Any]:
    class User:
        """Somebody, as users knows him."""

        def __repr__(self) -> str:
            return f"<User {self.username}>"  # type: ignore[attr-defined]  # of its table

    try:
        table = import_module("users.models").users
    except ModuleNotFoundError:
        raise ImportError("the package of the service users (services/users) is not on the path") from None
    registry().map_imperatively(User, table, exclude_properties=["password_hash"])
    return User


def _django(name: str, settings: str) -> Any:
    try:
        return import_module(name)
    except ModuleNotFoundError:
        raise ImportError(
            f"DJANGO_SETTINGS_MODULE is {settings}, but Django is not installed. Nexus needs none: install it for your"
            " own project, or unset the variable"
        ) from None
