"""Which tracklets of different cameras show one person: candidates, their refinement, and what is known beforehand."""
