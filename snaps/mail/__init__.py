"""Snaps that send mail."""
