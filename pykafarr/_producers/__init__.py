"""Producers: frames to messages."""
