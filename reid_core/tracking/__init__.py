"""From detections to tracks, and from tracks to tracklets; one camera at a time."""
