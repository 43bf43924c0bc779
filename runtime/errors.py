"""Errors that a person can correct: printed on one line, exit code 2."""


class UserError(Exception):
    """The text names the thing, its value, and what to do."""
