"""Snaps that run the user's own code."""
