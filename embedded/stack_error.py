"""The one error of this package."""


class StackError(Exception):
    """A part can't start or go on; the message is a line for whoever started the stack."""
