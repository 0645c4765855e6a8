"""The failure of a command that the API hasn't answered."""


class CommandError(Exception):
    """The command can't be carried out; the message says what to do."""
