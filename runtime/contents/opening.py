"""Where this desk keeps contents, by its settings."""

from __future__ import annotations

from runtime.contents.bucket import Bucket
from runtime.contents.content import Contents
from runtime.contents.folder import Folder
from runtime.settings import Settings

FOLDER = "attachments"
"""Of the desk's home."""


def contents(settings: Settings) -> Contents:
    """Say where contents are kept."""
    folder = settings.home / FOLDER
    return Bucket.at(settings.attachments, folder) if settings.attachments else Folder(folder)
