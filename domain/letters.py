"""E-mail as the desk compares and names it: which mailbox an address leads to, and the ids that its
own letters carry.
"""

from __future__ import annotations

import re
import unicodedata
from hashlib import sha256

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")
_ESCAPED = re.compile(r"(?:=[0-9A-F]{2})+")
_ID = re.compile(r"<([!-;=?A-~]{1,900})@([!-;=?A-~]{1,255})>")


def mailbox(address: str) -> str:
    """Return what addresses are compared by: two that lead to the same mailbox come out the same,
    whatever their case, quotes, tag (``desk+web@``) or the script of their domain.
    """
    plain = unicodedata.normalize("NFKC", address).strip().casefold()
    local, at, domain = plain.rpartition("@")
    if local.startswith('"') and local.endswith('"') and len(local) > 1:
        local = local[1:-1].replace("\\", "")
    untagged = local.partition("+")[0]
    return f"{untagged or local}{at}{_ascii(domain.rstrip('.'))}"


def message_id(key: str, domain: str) -> str:
    """Name the letter that brings a message of the outbox: the same one however often it is sent,
    and told from its name (``key_of``).
    """
    return f"<{_UNFIT.sub(_escaped, key)}@{_ascii(domain)}>"


def key_of(id_: str) -> str | None:
    """Say which message of the outbox a letter of that name would bring; None: it is no name."""
    found = _ID.fullmatch(id_)
    if found is None:
        return None
    return _ESCAPED.sub(_unescaped, found[1])


def ids_in(said: str) -> tuple[str, ...]:
    """Find the ids of letters in a header, such as ``References`` or one that was copied."""
    return tuple(dict.fromkeys(match[0] for match in _ID.finditer(said)))


def words_of(*said: str) -> str:
    """Tell letters apart by what they say: a hash, the same for two that differ in nothing but
    numbers, times and punctuation, as a robot's letters do.
    """
    plain = unicodedata.normalize("NFKC", " ".join(said)).casefold()
    return sha256("".join(filter(str.isalpha, plain)).encode()).hexdigest()[:32]


def _escaped(unfit: re.Match[str]) -> str:
    return "".join(f"={byte:02X}" for byte in unfit[0].encode())


def _unescaped(escaped: re.Match[str]) -> str:
    return bytes.fromhex(escaped[0].replace("=", "")).decode(errors="replace")


def _ascii(domain: str) -> str:
    """Write a domain as mail servers look it up, if it can be."""
    try:
        return domain.encode("idna").decode()
    except UnicodeError:
        return domain
