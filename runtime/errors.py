"""What a person can mend: printed in one line, exit code 2."""


class UserError(Exception):
    """The text names the thing, its value, and what to do."""
