"""Pixels in, values out: video, motion, detection, appearance, weights."""
