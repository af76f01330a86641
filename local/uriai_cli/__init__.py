"""The `uriai` command. Runs on a person's machine, never deployed."""
