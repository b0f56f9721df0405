"""The relay: publishes what services have written to their outboxes. Plain asyncio, a process of its own."""
