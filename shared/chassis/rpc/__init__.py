"""Calls between services over nameko's wire protocol: `server` answers, `client` and `aio` ask."""
