"""Batches of rows, and what they become."""
