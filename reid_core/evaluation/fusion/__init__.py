"""Fusion of looks and time, compared on real human timing with simulated looks."""

__all__ = ["appearance", "lists", "methods", "report", "strength", "transit"]
