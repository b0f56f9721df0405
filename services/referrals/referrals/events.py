"""From rows of referrals to what leaves the house."""
