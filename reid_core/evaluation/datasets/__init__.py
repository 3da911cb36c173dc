"""Readers of published re-identification datasets: one small module for each layout, one common value.

`registry.read_dataset` finds a reader by name; ``docs/datasets.md`` shows every layout.
"""

__all__ = ["dataset", "registry"]
