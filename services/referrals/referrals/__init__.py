"""Who brought whom: referral codes and referrals."""
