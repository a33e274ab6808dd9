"""Scheduled tasks: runs at set times, and their history."""
