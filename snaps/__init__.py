"""The built-in snap library: one file is one snap, families are folders."""
