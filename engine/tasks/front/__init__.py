"""The HTTP side: from a connection to a request, from a response to the wire."""
