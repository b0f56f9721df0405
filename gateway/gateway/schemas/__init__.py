"""Bodies and queries of the public API where they differ from what the services are asked."""
