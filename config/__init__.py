"""The import paths by which servers find the application: `config.asgi` and `config.wsgi`."""
