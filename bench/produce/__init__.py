"""Frames to a topic, compared: python -m bench.produce."""
