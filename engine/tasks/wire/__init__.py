"""The messages between the server and its processes, and the channel that carries them."""
