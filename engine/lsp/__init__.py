"""The language server: `engine.language` for editors that speak the Language Server Protocol.

Only this package imports pygls, and only `engine lsp` imports this package.
"""
