"""Processes of the server, and the messages that they exchange."""
