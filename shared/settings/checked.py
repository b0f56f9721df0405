"""What is wrong with settings, before a process stumbles over it."""

from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches

from shared.settings.declared import settings
from shared.settings.env import EnvConfig, SettingError
from shared.settings.setting import Setting

# As alike as two spellings of one name are.
_ALIKE = 0.88


def problems(env: EnvConfig) -> list[str]:
    """Values that cannot be read as what they are declared to be; the texts name variables, never values."""
    found = []
    for setting in settings():
        try:
            _read(env, setting)
        except (SettingError, InvalidOperation) as error:
            found.append(str(error) if isinstance(error, SettingError) else f"{setting.name} must be a decimal number")
    return found


def unknown(env: EnvConfig, *, others: Collection[str] = ()) -> list[str]:
    """Names that look like ours and that nobody reads: in the environment, and all strange ones in `.env`.

    `others` are names that something beside Nexus reads from that file.
    """
    found = []
    for name in sorted(env.names_in_environment() | env.names_in_dotenv()):
        if is_declared(name) or name in others:
            continue
        alike = get_close_matches(name, _plain_names(), n=1, cutoff=_ALIKE)
        if alike:
            found.append(f"{name} is read by nobody; is {alike[0]} meant?")
        elif name.startswith("NEXUS_") or name in env.names_in_dotenv():
            found.append(f"{name} is read by nobody")
    return found


def is_declared(name: str) -> bool:
    """Whether somebody reads the variable, itself or from the file that it names."""
    return declaration(name) is not None or declaration(name.removesuffix("_FILE")) is not None


def declaration(name: str) -> Setting | None:
    """The declaration that a variable falls under: its own, else one for every service."""
    plain = (one for one in settings() if one.name == name)
    of_services = (one for one in settings() if "*" in one.name and _fits(name, one.name))
    return next(plain, None) or next(of_services, None)


def _fits(name: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", "[A-Z]+"), name) is not None


def _plain_names() -> Collection[str]:
    return [setting.name for setting in settings() if "*" not in setting.name]


def _read(env: EnvConfig, setting: Setting) -> None:
    if setting.kind == "whole number":
        env.get_int(setting.name)
    elif setting.kind == "number":
        env.get_float(setting.name)
    elif setting.kind == "yes or no":
        env.get_bool(setting.name)
    elif setting.kind == "decimal":
        Decimal(env.get(setting.name) or "0")
    else:
        env.get(setting.name)
