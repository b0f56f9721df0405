"""What can be asked of referrals."""
