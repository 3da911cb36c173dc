"""The vector index and the search over it."""

__all__ = ["cases", "codes", "columns", "fused", "index", "locks", "reference", "rows", "search", "second_look"]
