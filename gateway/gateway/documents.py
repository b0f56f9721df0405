"""The API's description, and its page: Swagger UI from the installed package, no network needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
import swagger_ui_bundle

from gateway.answer import Answer
from gateway.endpoint import Endpoint
from gateway.openapi import describe

_CSP = (
    b"content-security-policy",
    (
        b"default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
        b"img-src 'self' data:; connect-src 'self'"
    ),
)
_PAGE = b"""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Nexus API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="swagger-ui"></div>
<script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
"""
_START = b"""window.onload = () => SwaggerUIBundle({
  url: "/api/v1/openapi.json", dom_id: "#swagger-ui", deepLinking: true, validatorUrl: null
});
"""
_ASSETS = {"swagger-ui.css": b"text/css", "swagger-ui-bundle.js": b"text/javascript"}


class Documents:
    """Answers for the description and its page; built once."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._fixed = {
            "/api/v1/openapi.json": Answer(200, orjson.dumps(describe(endpoints))),
            "/docs": Answer(200, _PAGE, b"text/html; charset=utf-8", [_CSP]),
            "/docs/start.js": Answer(200, _START, b"text/javascript", [_CSP]),
        }
        self._folder = Path(swagger_ui_bundle.swagger_ui_path)

    def find(self, method: str, path: str) -> Answer | None:
        """The document at `path`, or None when it is a route of the API."""
        if method != "GET" or not path.startswith(("/docs", "/api/v1/openapi.json")):
            return None
        name = path.removeprefix("/docs/")
        if name in _ASSETS and path not in self._fixed:
            self._fixed[path] = Answer(200, (self._folder / name).read_bytes(), _ASSETS[name], [_CSP])
        return self._fixed.get(path)
