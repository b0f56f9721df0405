"""The documents that follow from the code, one module each. `written()` gives path and text."""
