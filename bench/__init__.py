"""Measurements: ratios within one run, medians, never a test that depends on the clock."""
