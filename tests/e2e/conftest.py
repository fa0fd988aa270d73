"""Every story told here is one of real servers."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def _on_servers(servers: None) -> None:
    """Each of these tests starts some."""
