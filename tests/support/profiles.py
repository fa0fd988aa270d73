"""How thorough those tests are that draw their examples or walk every path: `--hypothesis-profile`.

`quick` is for while one writes, `commit` what a change has to pass, `long` for a night.
"""

from hypothesis import settings

DRAWN = {"quick": 15, "commit": 100, "long": 2000}
"""How many examples an ordinary test draws."""


def register() -> None:
    """Make the profiles known, and `commit` the one that counts unless another is asked for."""
    for name, drawn in DRAWN.items():
        # A busy machine is slow, and that proves nothing.
        settings.register_profile(name, deadline=None, max_examples=drawn)
    settings.load_profile("commit")


def share(part: float) -> int:
    """So many examples, of a test whose single one takes more or less than usual."""
    return max(1, round(part * settings().max_examples))


def is_quick() -> bool:
    return settings.get_current_profile_name() == "quick"
