"""The tests, room by room as the code is; what they share is in ``tests.support``."""

import pytest

pytest.register_assert_rewrite("tests.support")
"""Here, where nothing has imported it yet: what it asserts is told in full."""
