"""From rows of audit to what leaves the house."""
