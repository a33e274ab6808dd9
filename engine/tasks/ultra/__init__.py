"""Ultra tasks: the feed master."""
