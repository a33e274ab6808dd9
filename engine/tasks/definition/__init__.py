"""Task files: read, checked, and made into tasks with their plans."""
