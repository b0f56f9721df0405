"""Decisions of audit: standard library only, no clock, no database."""
