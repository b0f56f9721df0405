"""What referrals answers and announces."""
