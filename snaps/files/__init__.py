"""Snaps that read and write files."""
