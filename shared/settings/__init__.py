"""Settings come from the environment; see `env`."""
