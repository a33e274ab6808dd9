"""Snaps that turn binary streams into documents."""
