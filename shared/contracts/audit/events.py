"""What audit announces: nothing."""
