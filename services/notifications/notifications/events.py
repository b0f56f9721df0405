"""From rows of notifications to what leaves the house."""
