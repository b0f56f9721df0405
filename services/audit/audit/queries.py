"""What can be asked of audit."""
