"""What times and places say about who is who: transit densities, clock offsets, hard constraints."""
