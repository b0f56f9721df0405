"""Decisions of commission: standard library only, no clock, no database."""
