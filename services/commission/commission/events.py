"""From rows of commission to what leaves the house."""
