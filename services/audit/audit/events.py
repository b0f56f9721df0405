"""From rows of audit to what leaves the house: nothing leaves it."""
