"""Settings: environment variables first, then `NAME_FILE`, then the `.env` file of the working folder.

    from shared.settings.env import env
    DB_PORT = env.get_int("DB_PORT", 5432)

`NAME_FILE` names a file that holds the value (a mounted secret). `os.environ` is never written.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar, overload

from dotenv import dotenv_values

T = TypeVar("T")

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


class SettingError(ValueError):
    """A setting is missing or cannot be read; the text names the variable, never its value."""


class EnvConfig:
    """Typed reading of settings. A value that does not fit its type raises SettingError."""

    def __init__(self, environ: Mapping[str, str] | None = None, *, dotenv: Path | str | None = ".env") -> None:
        self._environ = os.environ if environ is None else environ
        found = dotenv_values(dotenv) if dotenv is not None and Path(dotenv).is_file() else {}
        self._defaults = {name: value for name, value in found.items() if value is not None}

    @overload
    def get(self, key: str) -> str | None: ...

    @overload
    def get(self, key: str, default: str) -> str: ...

    @overload
    def get(self, key: str, default: None) -> str | None: ...

    def get(self, key: str, default: str | None = None) -> str | None:
        """The value as text."""
        value = self._find(key)
        return default if value is None else value

    def get_bool(self, key: str, default: bool = False) -> bool:
        """1/true/yes/on or 0/false/no/off, in any case."""
        value = self._find(key)
        if value is None:
            return default
        word = value.strip().lower()
        if word in _TRUE:
            return True
        if word in _FALSE:
            return False
        raise SettingError(f"{key} must be one of true, false, 1, 0, yes, no, on, off")

    def get_int(self, key: str, default: int = 0) -> int:
        """A whole number."""
        return self._number(key, default, int, "a whole number")

    def get_float(self, key: str, default: float = 0.0) -> float:
        """A number."""
        return self._number(key, default, float, "a number")

    def get_list(self, key: str, default: list[str] | None = None) -> list[str]:
        """Comma-separated values, without blanks around them; empty ones are left out."""
        value = self._find(key)
        if value is None:
            return list(default or [])
        return [part.strip() for part in value.split(",") if part.strip()]

    def require(self, key: str) -> str:
        """A value that must be there. Raises SettingError when it is not."""
        value = self._find(key)
        if not value:
            raise SettingError(f"{key} is not set")
        return value

    def names_in_environment(self) -> frozenset[str]:
        """What the environment sets."""
        return frozenset(self._environ)

    def names_in_dotenv(self) -> frozenset[str]:
        """What the `.env` file sets."""
        return frozenset(self._defaults)

    def _number(self, key: str, default: T, parse: type[T], what: str) -> T:
        value = self._find(key)
        if value is None or not value.strip():
            return default
        try:
            return parse(value)  # type: ignore[call-arg]  # int and float both take text
        except ValueError:
            raise SettingError(f"{key} must be {what}") from None

    def _find(self, key: str) -> str | None:
        if key in self._environ:
            return self._environ[key]
        file = self._environ.get(f"{key}_FILE")
        if file:
            try:
                return Path(file).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SettingError(f"{key}_FILE cannot be read: {error.strerror}") from None
        return self._defaults.get(key)


env = EnvConfig()
"""The process's settings."""
