"""The `reknit` command, a small module per command group."""
