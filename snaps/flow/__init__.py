"""Snaps that decide where documents go."""
