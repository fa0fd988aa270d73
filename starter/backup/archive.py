"""The archive: a tar, readable by its owner alone, that says what is in it and can be checked."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import re
import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Literal

from pydantic import ValidationError

from domain.errors import InputError
from domain.standing import Epoch
from domain.vocabulary import Instant, Model
from runtime.contents.content import SHARDS

REGISTER, TEMPORAL, SECRET, ATTACHMENTS = "postgres.tar", "temporal.db", "secret", "attachments"
_CONTENT = re.compile(rf"{ATTACHMENTS}/([0-9a-f]{{2}})/([0-9a-f]{{62}})")
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST = 1 << 20
_CHUNK = 1 << 20


class ArchivedFile(Model):
    """One file of the archive."""

    size: int
    sha256: str


class Manifest(Model):
    """What an archive holds. Temporal was copied first, so its epoch is no later than the
    register's; None: Temporal was not running. ``attachments``: how many the register speaks of,
    whose contents follow; None: they are kept elsewhere.
    """

    format: Literal[1] = 1
    desk: str
    made_at: Instant
    revision: str
    postgresql: str
    register_epoch: Epoch | None
    temporal_epoch: Epoch | None
    issues: int
    last_step_at: Instant | None
    attachments: int | None = None
    files: Mapping[str, ArchivedFile]


def described(path: Path) -> ArchivedFile:
    """Measure a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return ArchivedFile(size=path.stat().st_size, sha256=digest)


def write(to: Path, manifest: Manifest, directory: Path, contents: Path | None = None) -> None:
    """Write the files of ``directory`` that the manifest names into a new archive, and the contents
    of attachments that lie in a folder: whole, or not at all.

    Raises:
        FileExistsError: there is one of that name.
    """
    part = to.with_name(f".{to.name}.{os.getpid()}.part")
    try:
        with _private(part) as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                _add(tar, _MANIFEST, manifest.model_dump_json(indent=2).encode())
                for name in manifest.files:
                    tar.add(directory / name, arcname=name, recursive=False, filter=_anonymous)
                for path in _contents_in(contents) if contents else ():
                    _add_content(tar, path)
            file.flush()
            os.fsync(file.fileno())
        os.link(part, to)  # never over another
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def _private(path: Path) -> IO[bytes]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    return os.fdopen(descriptor, "wb")


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    member = _anonymous(tarfile.TarInfo(name))
    member.size = len(content)
    tar.addfile(member, io.BytesIO(content))


def _contents_in(folder: Path) -> Iterator[Path]:
    for shard in SHARDS:
        yield from sorted((folder / shard).glob("*"))


def _add_content(tar: tarfile.TarFile, path: Path) -> None:
    """Add a content, unless it is none, but what a crash left, or a damaged one: that is the deep
    audit's to tell. One that was kept long enough may go meanwhile.
    """
    name = f"{ATTACHMENTS}/{path.parent.name}/{path.name}"
    with contextlib.suppress(FileNotFoundError):
        if described(path).sha256 == path.parent.name + path.name:
            tar.add(path, arcname=name, recursive=False, filter=_anonymous)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def read(archive: Path, into: Path | None = None) -> Manifest:
    """Check an archive from beginning to end, and unpack it ``into`` a directory, if given.

    Raises:
        InputError: it is none of ours, of another version, cut off, or damaged.
    """
    try:
        with tarfile.open(archive, "r:gz") as tar:
            manifest = _manifest(tar)
            missing = dict(manifest.files)
            while member := tar.next():
                expected = missing.pop(member.name, None) or _by_its_name(member)
                content = tar.extractfile(member) if expected and member.isreg() else None
                if expected is None or content is None:
                    raise InputError(f"{archive}: it holds {member.name}, which it should not")
                target = into / member.name if into else None
                if _copied(content, target) != expected:
                    raise InputError(f"{archive}: {member.name} is damaged")
    except OSError as error:
        raise InputError(f"{archive}: {error.strerror or error}") from None
    except (tarfile.TarError, EOFError, ValueError, StopIteration) as error:
        raise InputError(f"{archive}: no backup of a desk, or a damaged one ({error})") from None
    if missing:
        raise InputError(f"{archive}: it lacks {', '.join(missing)}")
    return manifest


def _by_its_name(member: tarfile.TarInfo) -> ArchivedFile | None:
    """Contents of attachments are called by what they are."""
    content = _CONTENT.fullmatch(member.name)
    return ArchivedFile(size=member.size, sha256=content[1] + content[2]) if content else None


def _manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    content = tar.extractfile(first) if first and first.name == _MANIFEST else None
    if content is None:
        raise tarfile.TarError("it does not begin with a manifest")
    try:
        return Manifest.model_validate_json(content.read(_LARGEST_MANIFEST))
    except ValidationError as error:
        raise tarfile.TarError(f"its manifest: {error.errors()[0]['msg']}") from None


def _copied(content: IO[bytes], target: Path | None) -> ArchivedFile:
    digest, size = hashlib.sha256(), 0
    with _private(target) if target else contextlib.nullcontext() as file:
        while chunk := content.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
            if file:
                file.write(chunk)
    return ArchivedFile(size=size, sha256=digest.hexdigest())
