"""Snaps that test pipelines."""
