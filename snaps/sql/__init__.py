"""Snaps that read and write databases."""
