"""What notifications answers and announces."""
