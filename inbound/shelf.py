"""The folder of mapping files, read again when one changes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

import structlog

from domain.errors import InputError
from inbound.mapping import Form, read_file

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
log = structlog.get_logger("doors.inbound")


@dataclass
class Shelf:
    """Mapping files by name: ``cti`` is ``cti.toml``. A new version that cannot be used leaves the
    last good one in place, and the log says why.
    """

    folder: Path | None
    _read: dict[str, tuple[int, Form | None]] = field(default_factory=dict)

    def get(self, name: str) -> Form | None:
        """Return a system's mapping as it is now; None if there is none that can be used."""
        if self.folder is None or not _NAME.fullmatch(name):
            return None
        path = self.folder / f"{name}.toml"
        try:
            changed = path.stat().st_mtime_ns
        except OSError:
            self._read.pop(name, None)
            return None
        seen, form = self._read.get(name, (-1, None))
        if changed != seen:
            try:
                form = read_file(path)
            except InputError as error:
                log.error("mapping file cannot be used", name=name, reason=str(error))  # noqa: TRY400
            self._read[name] = (changed, form)
        return form
