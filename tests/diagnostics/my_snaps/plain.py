"""A class that has the name of its file, but is not derived from Snap."""


class Plain:
    pass
