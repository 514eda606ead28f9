"""Listeners: members of consumer groups."""
