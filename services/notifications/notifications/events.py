"""From rows of notifications to what leaves the house: nothing that has to arrive."""
