"""Protocols, scoring of stored sites against their truth, and reports."""
