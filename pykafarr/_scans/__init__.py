"""Scans: known ranges of topics, read to their ends."""
