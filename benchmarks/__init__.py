"""Measurements: medians and ratios against a bare control in the same run, never absolutes."""
