"""What a file is, by what is in it: never by its name, nor by what its sender says it is.

A file is what it begins as. Whatever else it may be as well (a picture with an archive behind it, a
page inside a PDF), it is handed out as that one thing and called so; what cannot be told is of no
kind. The list is short on purpose: what is not on it is nothing that a desk opens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from domain.files.containers import OLE, Content, in_ole, in_zip

_OFFICE = "application/vnd.openxmlformats-officedocument"
_OPEN = "application/vnd.oasis.opendocument"


class FileKind(StrEnum):
    """A kind of file that is known here, by its media type."""

    JPEG = "image/jpeg"
    PNG = "image/png"
    GIF = "image/gif"
    WEBP = "image/webp"
    HEIC = "image/heic"
    PDF = "application/pdf"
    TEXT = "text/plain"
    DOCX = f"{_OFFICE}.wordprocessingml.document"
    XLSX = f"{_OFFICE}.spreadsheetml.sheet"
    PPTX = f"{_OFFICE}.presentationml.presentation"
    DOC = "application/msword"
    XLS = "application/vnd.ms-excel"
    PPT = "application/vnd.ms-powerpoint"
    ODT = f"{_OPEN}.text"
    ODS = f"{_OPEN}.spreadsheet"
    ODP = f"{_OPEN}.presentation"
    MP4 = "video/mp4"
    MOV = "video/quicktime"
    THREE_GP = "video/3gpp"
    MP3 = "audio/mpeg"
    M4A = "audio/mp4"
    AMR = "audio/amr"
    WAV = "audio/wav"

    MACROS = "application/vnd.ms-office.vbaproject"
    """An office document with programs in it."""
    PAGE = "text/html"
    """Whatever is written in tags: a page, or XML that a browser may show as one."""
    SVG = "image/svg+xml"
    PROGRAM = "application/x-executable"
    ARCHIVE = "application/zip"
    OTHER = "application/octet-stream"
    """Anything else."""

    @property
    def is_picture(self) -> bool:
        """Whether it can be shown small."""
        return self in PICTURES

    @property
    def handed_out_as(self) -> FileKind:
        """What browsers are told that it is: of whatever they might run, that it is just bytes."""
        return FileKind.OTHER if self in RISKY else self

    @property
    def endings(self) -> tuple[str, ...]:
        """How a file of the kind may end; the first is the usual one."""
        return _ENDINGS.get(self, (".bin",))


PICTURES: Mapping[FileKind, str] = {
    FileKind.JPEG: "JPEG",
    FileKind.PNG: "PNG",
    FileKind.GIF: "GIF",
    FileKind.WEBP: "WEBP",
}
"""Those that can be shown small, and what the library that reads them calls them."""
RISKY = frozenset(
    {
        *(FileKind.MACROS, FileKind.PAGE, FileKind.SVG, FileKind.PROGRAM),
        *(FileKind.ARCHIVE, FileKind.OTHER),
    }
)
"""Taken only where the policy says so, and nothing but bytes then."""

_ENDINGS: Mapping[FileKind, tuple[str, ...]] = {
    FileKind.JPEG: (".jpg", ".jpeg", ".jpe", ".jfif"),
    FileKind.PNG: (".png",),
    FileKind.GIF: (".gif",),
    FileKind.WEBP: (".webp",),
    FileKind.HEIC: (".heic", ".heif"),
    FileKind.PDF: (".pdf",),
    FileKind.TEXT: (".txt", ".csv", ".tsv", ".log", ".md", ".json", ".yaml"),
    FileKind.DOCX: (".docx",),
    FileKind.XLSX: (".xlsx",),
    FileKind.PPTX: (".pptx", ".ppsx"),
    FileKind.DOC: (".doc", ".wps"),
    FileKind.XLS: (".xls", ".et"),
    FileKind.PPT: (".ppt", ".pps", ".dps"),
    FileKind.ODT: (".odt",),
    FileKind.ODS: (".ods",),
    FileKind.ODP: (".odp",),
    FileKind.MP4: (".mp4", ".m4v"),
    FileKind.MOV: (".mov",),
    FileKind.THREE_GP: (".3gp",),
    FileKind.MP3: (".mp3",),
    FileKind.M4A: (".m4a",),
    FileKind.AMR: (".amr",),
    FileKind.WAV: (".wav",),
}

_BEGINNINGS: tuple[tuple[re.Pattern[bytes], FileKind], ...] = tuple(
    (re.compile(begins, re.DOTALL), kind)
    for begins, kind in (
        (rb"\xff\xd8\xff", FileKind.JPEG),
        (rb"\x89PNG\r\n\x1a\n", FileKind.PNG),
        (rb"GIF8[79]a", FileKind.GIF),
        (rb"RIFF....WEBP", FileKind.WEBP),
        (rb"RIFF....WAVE", FileKind.WAV),
        (rb"....ftyp(?:hei[cxms]|hev[cx]|mif1|msf1)", FileKind.HEIC),
        (rb"....ftypqt  ", FileKind.MOV),
        (rb"....ftypM4[AB] ", FileKind.M4A),
        (rb"....ftyp3g", FileKind.THREE_GP),
        (rb"....ftyp(?:iso[m\d]|mp4\d|avc1|M4V |MSNV|dash|mmp4)", FileKind.MP4),
        (rb"%PDF-\d", FileKind.PDF),
        (rb"#!AMR", FileKind.AMR),
        (rb"ID3[\x02-\x04]|\xff[\xf2\xf3\xfa\xfb]", FileKind.MP3),
        (rb"#!|\x7fELF|MZ.{1,61}\x00|L\x00\x00\x00\x01\x14\x02\x00", FileKind.PROGRAM),
        (rb"\xca\xfe\xba\xbe|[\xce\xcf]\xfa\xed\xfe|\xfe\xed\xfa[\xce\xcf]", FileKind.PROGRAM),
        # SYLK: a sheet that may have programs in it, for Excel also where it is called .csv.
        (rb"ID;P[^\r\n;]*(?:;[NE])*\r?\n(?:[A-Z]{1,3};|E\s)", FileKind.MACROS),
        (rb"Rar!\x1a\x07|7z\xbc\xaf\x27\x1c|\x1f\x8b\x08|BZh\d|\xfd7zXZ\x00", FileKind.ARCHIVE),
    )
)
_HEAD = 4096
"""Bytes in which a file says what it is."""
_IN_ZIP: Mapping[str, FileKind] = {
    "word/document.xml": FileKind.DOCX,
    "xl/workbook.xml": FileKind.XLSX,
    "xl/workbook.bin": FileKind.XLSX,
    "ppt/presentation.xml": FileKind.PPTX,
}
_WITH_PROGRAMS = re.compile(
    r"vbaProject|vbaData|activeX|macrosheets/|Basic/|Scripts/", re.IGNORECASE
)
_OPEN_DOCUMENT = re.compile(
    rb"PK\x03\x04.{26}mimetype(application/vnd\.oasis\.opendocument\.(?:text|spreadsheet|presentation))PK",
    re.DOTALL,
)
_IN_OLE: Mapping[str, FileKind] = {
    "WordDocument": FileKind.DOC,
    "Workbook": FileKind.XLS,
    "Book": FileKind.XLS,
    "PowerPoint Document": FileKind.PPT,
}
_PROGRAMS_IN_OLE = frozenset({"Macros", "VBA", "_VBA_PROJECT", "_VBA_PROJECT_CUR"})

_AT_ONCE = 1024**2
"""Bytes of a text that are looked at together."""
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f]")
_MARKS: Mapping[bytes, str] = {
    b"\xef\xbb\xbf": "utf-8",
    b"\xff\xfe": "utf-16-le",
    b"\xfe\xff": "utf-16-be",
}
"""What stands before a text and names its encoding."""
_DRAWING = re.compile(r"<(?:\w+:)?svg\b", re.IGNORECASE)
_TAGS = re.compile(r"<(?:!doctype|html|head|body|script|iframe|\?)", re.IGNORECASE)


def kind_of(content: Content) -> FileKind:
    """Say what a file is, in a time that hardly grows with its length."""
    head = content[:_HEAD]
    for begins, kind in _BEGINNINGS:
        if begins.match(head):
            return kind
    for begins_with, inside in _CONTAINERS.items():
        if head.startswith(begins_with):
            return inside(content)
    return _text(content, head)


def _zip(content: Content) -> FileKind:
    names = in_zip(content)
    if any(map(_WITH_PROGRAMS.search, names)):
        return FileKind.MACROS
    if found := _OPEN_DOCUMENT.match(content[:_HEAD]):
        return FileKind(found[1].decode()) if "content.xml" in names else FileKind.ARCHIVE
    kinds = {kind for name, kind in _IN_ZIP.items() if name in names}
    whole = "[Content_Types].xml" in names and len(kinds) == 1
    return kinds.pop() if whole else FileKind.ARCHIVE


def _ole(content: Content) -> FileKind:
    names = in_ole(content)
    if names & _PROGRAMS_IN_OLE:
        return FileKind.MACROS
    kinds = {kind for name, kind in _IN_OLE.items() if name in names}
    return kinds.pop() if len(kinds) == 1 else FileKind.OTHER


_CONTAINERS: Mapping[bytes, Callable[[Content], FileKind]] = {
    b"PK\x03\x04": _zip,
    b"PK\x05\x06": _zip,
    OLE: _ole,
}


def _text(content: Content, head: bytes) -> FileKind:
    """Tell a text, which has no controls, and of texts those that a browser might show as a page:
    it looks for tags at the beginning, and so does this.
    """
    mark = next((each for each in _MARKS if head.startswith(each)), b"")
    if not head or (not _MARKS.get(mark, "").startswith("utf-16") and not _is_plain(content)):
        return FileKind.OTHER
    begins = head[len(mark) :].decode(_MARKS.get(mark, "utf-8"), "replace").lstrip()
    if begins.startswith("{\\rtf"):
        return FileKind.OTHER
    if not begins.startswith("<") and not _TAGS.search(begins[:1024]):
        return FileKind.TEXT
    return FileKind.SVG if _DRAWING.search(begins) else FileKind.PAGE


def _is_plain(content: Content) -> bool:
    places = range(0, len(content), _AT_ONCE)
    return not any(_CONTROL.search(content[at : at + _AT_ONCE]) for at in places)
