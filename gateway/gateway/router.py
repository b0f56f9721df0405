"""Which endpoint a path and a method mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from gateway.endpoint import Endpoint, check_parameters
from gateway.errors import MethodNotAllowed, RouteNotFound


class Router:
    """Paths without parameters are looked up, the others tried in turn."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._fixed: dict[str, dict[str, Endpoint]] = {}
        for endpoint in endpoints:
            if not endpoint.parameters:
                self._fixed.setdefault(endpoint.path, {})[endpoint.method] = endpoint
        self._patterns = [endpoint for endpoint in endpoints if endpoint.parameters]

    def find(self, method: str, path: str) -> tuple[Endpoint, Mapping[str, str]]:
        """The endpoint and its path parameters.

        Raises RouteNotFound, MethodNotAllowed, and NotFound for a parameter that cannot be what it is to be.
        """
        by_method = self._fixed.get(path)
        if by_method is not None:
            if method in by_method:
                return by_method[method], {}
            raise _not_allowed(set(by_method))
        allowed = set()
        for candidate in self._patterns:
            if match := candidate.pattern.fullmatch(path):
                if candidate.method == method:
                    values = match.groupdict()
                    check_parameters(values)
                    return candidate, values
                allowed.add(candidate.method)
        if not allowed:
            raise RouteNotFound
        raise _not_allowed(allowed)


def _not_allowed(allowed: set[str]) -> MethodNotAllowed:
    return MethodNotAllowed(extra={"allow": sorted(allowed | ({"HEAD"} if "GET" in allowed else set()))})
