"""What can be asked of notifications."""
