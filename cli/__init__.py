"""The verbs of the command line, one a file: `main(argv) -> int`."""
