"""A file that lacks the class that it is named after."""
