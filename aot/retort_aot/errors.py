"""The one exception that ends the tool with a sentence and no stack trace."""


class Failure(Exception):
    """What could not be done, in one sentence for the person at the terminal."""
