"""The reference pages in docs/reference, made from the declarations in the code.

`python -m engine.reference` writes them; `--check` fails if one is out of step.
"""
