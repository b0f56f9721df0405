"""What trades answers and announces."""
