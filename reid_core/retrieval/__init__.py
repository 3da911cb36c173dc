"""The vector index and the search over it."""
