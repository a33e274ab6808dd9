"""What runs beside the script in its process.

The script's interpreter sees the script's environment, not the engine's. These modules therefore
use the standard library and msgspec only, import each other relatively, and are loaded there under
the name `snapline_child`; the rest of the engine cannot be imported from a script.
"""
