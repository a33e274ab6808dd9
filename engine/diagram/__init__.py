"""Draws pipelines from left to right: SVG, HTML, Mermaid, JSON, and characters for a terminal.

`layout` places boxes and wires and knows nothing about pipelines; `diagram` says what there is to
draw; the other modules draw it.
"""
