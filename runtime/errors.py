"""What can go wrong with the desk's surroundings, told as a sentence a person can act on."""


class SetupError(Exception):
    """Something around the desk is missing or wrong; the message says what to do."""
