"""Decisions of notifications: standard library only, no clock, no database."""
