"""Processes that wire the core to the world."""
