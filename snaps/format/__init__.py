"""Snaps that turn documents into binary streams."""
