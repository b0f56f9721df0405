"""Decisions of referrals: standard library only, no clock, no database."""
