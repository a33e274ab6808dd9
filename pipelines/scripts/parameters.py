"""Read the pipeline's parameters, which are always strings, as numbers and choices.

A module of the digit scripts. An empty string means the default.
"""


def choice(arguments, name, allowed):
    """The parameter's value, one of `allowed`; the first is the default."""
    text = text_of(arguments, name)
    if text and text not in allowed:
        raise ValueError(f"The parameter {name} is '{text}', but must be {' or '.join(allowed)}.")
    return text or allowed[0]


def whole_number(arguments, name, default, least, most):
    text = text_of(arguments, name)
    if not text:
        return default
    if not (text.isascii() and text.isdigit() and least <= int(text) <= most):
        raise ValueError(
            f"The parameter {name} is '{text}', but must be a whole number"
            f" from {least} to {most:,}, or empty for {default:,}."
        )
    return int(text)


def text_of(arguments, name):
    value = arguments.get(name)
    return "" if value is None else str(value).strip()
