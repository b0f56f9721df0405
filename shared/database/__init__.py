"""The users' database for programs beside Nexus."""
