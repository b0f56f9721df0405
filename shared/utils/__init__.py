"""Small helpers without a business word: ids, time, logging."""
