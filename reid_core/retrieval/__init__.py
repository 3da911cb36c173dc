"""The vector index and the search over it."""

__all__ = ["columns", "index", "locks", "search"]
