"""The HTTP side: from a connection to a request, from an answer to the wire."""
