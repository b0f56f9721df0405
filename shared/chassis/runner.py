"""Runs one nameko service as a process, without nameko's command line."""

from __future__ import annotations

import warnings
from importlib import import_module
from typing import NoReturn


def run(target: str) -> NoReturn:
    """Runs `package.module:Class` until SIGTERM, then exits; the exit codes are in `shared.chassis.process`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it is deprecated is known; see docs/adr
        import eventlet  # importing this module must not pull eventlet into a plain process

    # Before kombu, SQLAlchemy and logging are imported: a socket or lock made earlier would block everybody.
    eventlet.monkey_patch()
    process = import_module("shared.chassis.process")
    module, _, name = target.partition(":")
    raise SystemExit(process.main(getattr(import_module(module), name)))
