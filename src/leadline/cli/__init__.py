"""The command line: one command per file, each a `COMMAND` that `main` finds in its list."""
