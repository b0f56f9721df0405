"""A client of the public API: what the demo, the chaos run and the tests of whole stacks speak with.

Knows nothing of the services but what the API says.
"""
