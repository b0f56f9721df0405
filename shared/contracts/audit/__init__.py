"""What audit answers and announces."""
