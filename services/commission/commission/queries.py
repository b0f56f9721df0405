"""What can be asked of commission."""
