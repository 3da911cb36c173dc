"""Networks: from the crops of a tracklet to its vector."""
