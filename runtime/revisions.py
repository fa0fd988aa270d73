"""Which revision the tables are at, and which one this version of the desk works with.

That is asked whenever a worker, the doors or a command begins. It is read off the files: Alembic,
which does the work (runtime/migrate.py), takes half a second to import.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import asyncpg

from domain.errors import SetupError
from runtime.settings import ROOT

SCRIPTS = ROOT / "migrations"
_SAYS = r"""^{name}\b[^=\n]*= *["'](\w+)["']"""
_REVISION = re.compile(_SAYS.format(name="revision"), re.MULTILINE)
_BEFORE = re.compile(_SAYS.format(name="down_revision"), re.MULTILINE)


def head(scripts: Path = SCRIPTS) -> str | None:
    """The newest revision of this version of the desk."""
    befores = _befores(scripts)
    return next((revision for revision in befores if revision not in befores.values()), None)


def known_revision(revision: str, scripts: Path = SCRIPTS) -> bool:
    """Whether this version of the desk can migrate from there."""
    return revision in _befores(scripts)


async def require_head(pool: "asyncpg.Pool[Any]", *, scripts: Path = SCRIPTS) -> None:
    """Refuse to work on a database of another version.

    Raises:
        SetupError: the database is not at `head()`.
    """
    try:
        found = await pool.fetchval("SELECT version_num FROM alembic_version")
    except asyncpg.UndefinedTableError:
        found = None
    wanted = head(scripts)
    if found != wanted:
        raise SetupError(
            f"the database is at revision {found or 'none'}, this version of the desk needs"
            f" {wanted or 'none'}: run `yinuo migrate`."
        )


def _befores(scripts: Path) -> Mapping[str, str | None]:
    """Each revision, and the one before it."""
    texts = (file.read_text("utf-8") for file in sorted((scripts / "versions").glob("*.py")))
    return {
        said[1]: before[1] if (before := _BEFORE.search(text)) else None
        for text in texts
        if (said := _REVISION.search(text))
    }
