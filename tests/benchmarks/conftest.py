"""Benchmarks are scripts (`make benchmark-...`) and their helpers: only the shared runner's examples are collected."""

from pathlib import Path

collect_ignore = [one.name for one in Path(__file__).parent.glob("*.py") if one.name != "pairing.py"]
collect_ignore_glob = ["peers/*"]
