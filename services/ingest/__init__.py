"""From sources to stored tracklets."""
