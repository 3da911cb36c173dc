"""The vector index and the search over it."""

__all__ = ["columns", "fused", "index", "locks", "reference", "rows", "search"]
