"""What every service is made of."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from nameko.extensions import DependencyProvider

from shared.chassis.database import Database
from shared.chassis.health import Watch
from shared.chassis.rpc.server import rpc
from shared.settings.env import env


class DatabaseProvider(DependencyProvider):
    """Gives methods the service's database, by its runtime role."""

    database: Database

    def setup(self) -> None:
        self.database = Database(env.require(f"{self.container.service_name.upper()}_DB_URL"))

    def get_dependency(self, worker_ctx: Any) -> Database:
        return self.database


class Service:
    """Base class of a service: `db` is its database, `health` answers from the last look of the watch."""

    name: ClassVar[str]
    linger: ClassVar[float] = 0.0
    """Seconds for which events are collected before they are worked off together."""

    db = DatabaseProvider()
    watch = Watch()

    @rpc(inline=True)
    def health(self) -> dict[str, Any]:
        return asdict(self.watch.report)
