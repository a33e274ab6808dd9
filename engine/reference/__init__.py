"""Generates the reference pages in docs/reference from the declarations in the code.

`python -m engine.reference` writes them; `--check` fails if one is out of date.
"""
