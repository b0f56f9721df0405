"""What billing answers and announces."""
