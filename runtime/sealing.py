"""Secrets that must be read again, such as a webhook's, sealed before they are stored: whoever has
a copy of the register alone cannot sign in our name.

The key is derived of the secret that signs links (``YINUO_SECRET``). By another one nothing sealed
can be opened.
"""

from __future__ import annotations

import secrets
from base64 import b64encode, urlsafe_b64encode

from cryptography.fernet import Fernet, InvalidToken

from domain.webhooks import SECRET
from runtime.signing import Signer


class Unreadable(Exception):
    """It was sealed by another secret than the desk has now."""

    def __init__(self) -> None:
        super().__init__(
            "its secret was sealed under another YINUO_SECRET: give it a new one with"
            " `yinuo webhook rotate`"
        )


class Sealer:
    """Seals and opens, by the desk's secret."""

    def __init__(self, signer: Signer) -> None:
        self._box = Fernet(urlsafe_b64encode(bytes.fromhex(signer.secret_for("webhooks"))))

    def seal(self, secret: str) -> str:
        """Make it unreadable for others."""
        return self._box.encrypt(secret.encode()).decode()

    def open(self, sealed: str) -> str:
        """Read it again.

        Raises:
            Unreadable: it was sealed by another secret.
        """
        try:
            return self._box.decrypt(sealed.encode()).decode()
        except InvalidToken:
            raise Unreadable from None


def fresh_secret() -> str:
    """Make a secret for a receiver."""
    return SECRET + b64encode(secrets.token_bytes(32)).decode()
