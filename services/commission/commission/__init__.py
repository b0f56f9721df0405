"""What affiliates earn: rules, decisions, awards."""
