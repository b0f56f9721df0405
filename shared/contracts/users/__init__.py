"""What users answers and announces."""
