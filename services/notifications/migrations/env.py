"""Alembic's entry; everything is in the chassis."""

from shared.chassis.migrations import run_env

run_env()
