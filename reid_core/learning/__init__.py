"""Learning a site from its own tracklets: batches, losses, rounds of association and training, and self-checks."""
