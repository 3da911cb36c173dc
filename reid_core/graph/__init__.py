"""Graphs over tracklets: who is near whom, by looks and by time, and what neighbours tell of each other."""

__all__ = [
    "affinity",
    "fused_graph",
    "fused_rules",
    "neighbours",
    "pooling",
    "propagation",
    "propagation_torch",
    "reciprocal_encoding",
    "refined_gallery",
    "rerank",
    "transit_rules",
]
