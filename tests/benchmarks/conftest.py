"""Benchmarks are scripts (`make benchmark-...`): only the shared runner's examples are collected as tests."""

collect_ignore_glob = ["benchmark_*.py", "measure_*.py", "summary.py", "peers/*"]
