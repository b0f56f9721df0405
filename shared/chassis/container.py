"""nameko's service container with a shorter way to the method."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from logging import getLogger
from typing import Any

import eventlet
from nameko.containers import ServiceContainer, WorkerContext

from shared.contracts.errors import ServiceError

log = getLogger(__name__)

# Seconds that the parts of a dying container have to end.
_KILL_SECONDS = 10

HandleResult = Callable[[Any, Any, Any], tuple[Any, Any]]


class Container(ServiceContainer):
    """Runs an entrypoint's `run(worker_ctx, method)` when it has one, else the method with the worker's arguments.

    Refusals (`ServiceError` below 500) are answers and not logged as failures; everything else is,
    with its traceback. nameko times and logs six steps of every worker, which costs as much as a small method.
    """

    @property
    def busy(self) -> bool:
        """Whether any worker is running."""
        return bool(self._worker_pool.running())

    def kill(self, exc_info: Any = None) -> None:
        # A part that does not end must not keep a dead service half alive.
        eventlet.spawn_after(_KILL_SECONDS, os._exit, 1)
        super().kill(exc_info)

    def run_inline(self, entrypoint: Any, args: Any, kwargs: Any, *, handle_result: HandleResult) -> None:
        """Runs a method that never waits in the present greenthread, outside the pool of workers."""
        self._run_worker(WorkerContext(self, self.service_cls(), entrypoint, args, kwargs, data={}), handle_result)

    def _run_worker(self, worker_ctx: Any, handle_result: HandleResult | None) -> None:
        self._inject_dependencies(worker_ctx)
        self._worker_setup(worker_ctx)
        entrypoint = worker_ctx.entrypoint
        method = getattr(worker_ctx.service, entrypoint.method_name)
        run = getattr(entrypoint, "run", None)
        result = exc_info = None
        try:
            result = run(worker_ctx, method) if run else method(*worker_ctx.args, **worker_ctx.kwargs)
        except (Exception, eventlet.Timeout) as error:
            exc_info = sys.exc_info()
            if not isinstance(error, ServiceError):
                log.exception("%s.%s failed", self.service_name, entrypoint.method_name)
            elif error.status >= 500:
                log.warning("%s.%s: %s %s", self.service_name, entrypoint.method_name, error.code, error.detail)
        if handle_result is not None:
            result, exc_info = handle_result(worker_ctx, result, exc_info)
        self._worker_result(worker_ctx, result, exc_info)
        # The traceback refers to this frame: breaking the cycle frees it now and not at the next collection.
        del exc_info
        self._worker_teardown(worker_ctx)
