"""Snaps that call REST services."""
