"""Reading files that people write, and telling them what is wrong with one."""

import re
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from domain.errors import SetupError

_SHOWN = 60
_ENUM_MEMBER = re.compile(r"<[\w.]+: ('[^']*')>")


def read_utf8(path: Path, error: type[SetupError]) -> str:
    """Read a UTF-8 text, with or without byte order mark.

    Raises:
        SetupError: of the given type: there is no such file, or it is in another encoding, in
            which case the message names the first wrong line and how to save the file again.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise error(f"{path}: there is no such file") from None
    except OSError as unreadable:
        raise error(f"{path}: cannot be read: {unreadable.strerror}") from None
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        # The mark is not counted by the decoder, and holds no line end.
        line = content.count(b"\n", 0, wrong.start) + 1
        raise error(
            f"{path}, line {line}: not UTF-8 (perhaps GBK or UTF-16, as spreadsheets write it): "
            'save it again as "CSV UTF-8" or, in a text editor, with encoding UTF-8'
        ) from None


def explain(details: ErrorDetails, *, show_found: bool = True) -> str:
    """Say what pydantic found wrong as a sentence for whoever wrote it, with the value found unless
    the caller shows that.
    """
    plain = {
        "missing": "is missing: add it",
        "extra_forbidden": "is not known here: check the spelling, or leave it out",
        "string_too_short": "may not be empty",
        "too_short": "may not be empty",
    }
    if reason := plain.get(details["type"]):
        return reason
    reason = _ENUM_MEMBER.sub(r"\1", details["msg"]).removeprefix("Value error, ")
    found = details["input"]
    if not show_found or not isinstance(found, str | int | float):
        return reason
    shown = repr(found)
    if shown[1:-1] in reason:
        return reason
    return f"{reason} (found {shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '…'})"


def findings(error: ValidationError) -> list[str]:
    """Write each thing pydantic found as ``field: reason``."""
    found = []
    for each in error.errors():
        field = ".".join(str(part) for part in each["loc"])
        found.append(f"{field}: {explain(each)}" if field else explain(each))
    return found
