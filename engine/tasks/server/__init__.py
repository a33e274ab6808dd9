"""The server: tasks behind one HTTP front, and what operators see of them."""
