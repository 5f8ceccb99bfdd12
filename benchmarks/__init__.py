"""Measure Wayfare beside its peers, all in one run, and print ratios (see README.md)."""
