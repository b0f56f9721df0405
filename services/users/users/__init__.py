"""Users: who somebody is, and the proof of it."""
