"""What the person at the terminal has to act on: shown as one message, never as a traceback."""


class StackError(Exception):
    """The stack cannot start or go on. The text says what happened and what to do about it."""
