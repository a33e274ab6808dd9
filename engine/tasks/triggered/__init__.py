"""Triggered tasks: a run for each call."""
