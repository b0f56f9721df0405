"""Accounts, the ledger, holds and statements: the only place where money moves."""
