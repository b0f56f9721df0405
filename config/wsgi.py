"""`gunicorn config.wsgi:application`: the same application behind WSGI, without WebSocket."""

from a2wsgi import ASGIMiddleware

from config.asgi import application as asgi

application = ASGIMiddleware(asgi)
