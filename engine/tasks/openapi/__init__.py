"""What callers may know of the tasks of a server: an OpenAPI document, and a page to try it."""
