"""Hand-written servers and other people's, which the engine's is compared with.

Each runs in a process of its own; those for digits in a virtual environment of their own, so they
import nothing of the engine.
"""
