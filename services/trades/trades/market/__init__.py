"""The market that contracts are bought on: a port, and the market that is built in."""
