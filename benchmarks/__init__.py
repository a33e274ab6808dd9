"""What is measured against hand-written code, always as a ratio within one run."""
