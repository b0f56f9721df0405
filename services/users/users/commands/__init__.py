"""What can change in users: one verb a file."""
