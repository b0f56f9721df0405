"""What commission answers and announces."""
