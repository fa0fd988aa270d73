"""How many parts a text message is sent in, as mobile networks count (3GPP TS 23.038, 23.040)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_PLAIN = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_ESCAPED = "\f^{}\\[~]|€"
_GSM: Mapping[str, int] = {**dict.fromkeys(_PLAIN, 1), **dict.fromkeys(_ESCAPED, 2)}
_GSM_ALONE, _GSM_IN_PARTS = 160, 153
_UCS_ALONE, _UCS_IN_PARTS = 70, 67


def parts(text: str) -> int:
    """Count the parts: 160 signs of the GSM alphabet make one, or 153 each of several; as soon as
    one sign is of no such alphabet, as Chinese ones are, 70 or 67.
    """
    widths = [_GSM.get(sign, 0) for sign in text]
    if all(widths):
        return _parted(iter(widths), sum(widths), _GSM_ALONE, _GSM_IN_PARTS)
    widths = [2 if ord(sign) > 0xFFFF else 1 for sign in text]
    return _parted(iter(widths), sum(widths), _UCS_ALONE, _UCS_IN_PARTS)


def _parted(widths: Iterator[int], whole: int, alone: int, each: int) -> int:
    """No sign is divided between two parts."""
    if whole <= alone:
        return 1 if whole else 0
    count, used = 1, 0
    for width in widths:
        if used + width > each:
            count, used = count + 1, 0
        used += width
    return count
