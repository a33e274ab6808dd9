"""Snaps that make documents and change them."""
