"""Sessions that ended while their access tokens live, and users who may not act: known from users, kept in memory.

Until users has answered for the first time a signature is trusted alone (tokens live an hour): the gateway starts and
works while users is away, and its health says what is missing.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from shared.chassis.context import Context
from shared.chassis.rpc.aio import AsyncRpc
from shared.contracts.errors import ServiceError
from shared.utils.logger import get_logger
from shared.utils.time import from_rfc3339

log = get_logger(__name__)


class Revocations:
    """Filled by events as they come, and as a whole after each (re)connection, since events in between are missed."""

    def __init__(self, rpc: AsyncRpc) -> None:
        self._rpc = rpc
        self._sessions: dict[str, float] = {}
        self._users: set[str] = set()
        self._loading: asyncio.Task[None] | None = None
        self.loaded = False

    def covers(self, user_id: str, session_id: str) -> bool:
        """Whether a token of this session must not be taken any more."""
        return session_id in self._sessions or user_id in self._users

    async def start(self) -> None:
        """Begins to listen."""
        await self._rpc.listen(
            "users.events", ("session_revoked", "user_updated"), self._on_event, on_bound=self._on_bound
        )

    def stop(self) -> None:
        """Ends what is under way."""
        if self._loading is not None:
            self._loading.cancel()

    async def _on_event(self, envelope: Any) -> None:
        data = envelope["data"]
        if envelope["type"] == "session_revoked":
            self._note(data["session_id"], data["until"])
        elif data["is_frozen"] or not data["is_active"]:
            self._users.add(data["user_id"])
        else:
            self._users.discard(data["user_id"])

    async def _on_bound(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
        self._loading = asyncio.create_task(self._load())

    async def _load(self) -> None:
        self.loaded = False
        while not self.loaded:
            try:
                found = await self._rpc.call("users", "list_revocations", {}, ctx=Context(kind="system"), timeout=2)
            except ServiceError as error:
                log.warning("revocations not loaded yet", reason=error.code)
                await asyncio.sleep(1)
                continue
            for session in found["sessions"]:
                self._note(session["session_id"], session["until"])
            self._users |= set(found["frozen_user_ids"])
            self.loaded = True

    def _note(self, session_id: str, until: str) -> None:
        now = time.time()
        self._sessions[session_id] = from_rfc3339(until).timestamp()
        if len(self._sessions) % 256 == 0:
            self._sessions = {k: end for k, end in self._sessions.items() if end > now}
