"""Trades: quotes, contracts and their results, on a market behind a port."""
