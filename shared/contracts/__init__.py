"""What services say to each other: events, RPC, errors and the schemas of both, by owner.

Data only. Nothing here imports the chassis or a service, so each image carries the
contracts that it was built with and an older reader survives a newer publisher.
"""
