"""The vector index and the search over it."""

__all__ = ["codes", "columns", "fused", "index", "locks", "reference", "rows", "search"]
