"""Files as people send them, and as nobody should: made here, none is kept as it is.

What of the hostile ones might run says so: each tries to leave ``RAN`` where a test would see it.
"""

from __future__ import annotations

import io
import itertools
import struct
import zipfile
import zlib
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

from domain.files.kinds import FileKind

RAN = "yinuo_hostile_ran"
"""What a script of these sets in a window in which it runs."""
_SCRIPT = f"window.{RAN}=document.documentElement.dataset.{RAN.replace('_', '')}='yes'"
PLACE = b"N39d54m"
"""Stands in the place that a photograph says it was taken at."""


class Sent(NamedTuple):
    """A file: what its sender calls it and says that it is, and what it is taken for."""

    name: str
    content: bytes
    kind: FileKind
    declared: str = "image/jpeg"


# Pictures -----------------------------------------------------------------------------------------


def picture(
    format_: str = "JPEG", size: tuple[int, int] = (640, 400), colour: str = "teal"
) -> bytes:
    """Draw one whose upper left corner is red."""
    drawn = Image.new("RGB", size, colour)
    drawn.paste("red", (0, 0, max(1, size[0] // 4), max(1, size[1] // 4)))
    return _written(drawn, format_)


def photograph(*, orientation: int = 6, size: tuple[int, int] = (800, 600)) -> bytes:
    """Take one with a telephone that was held upright: turned, with the place and a remark in it.
    Its corner that is up and left as one looks at it is red.
    """
    drawn = Image.new("RGB", size, "teal")
    # Orientation 6: what is below and left in the file is above and left for whoever looks.
    drawn.paste("red", (0, size[1] * 3 // 4, size[0] // 4, size[1]))
    exif = Image.Exif()
    exif[Base.Orientation] = orientation
    exif[Base.Make] = f"<script>{_SCRIPT}</script>"
    exif[Base.ImageDescription] = PLACE.decode()
    exif.get_ifd(IFD.GPSInfo).update(
        {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (39.0, 54.0, 27.0), GPS.GPSMapDatum: "WGS-84"}
    )
    written = io.BytesIO()
    drawn.save(written, "JPEG", exif=exif, comment=PLACE, quality=90)
    return written.getvalue()


def _written(drawn: Image.Image, format_: str) -> bytes:
    written = io.BytesIO()
    drawn.save(written, format_)
    return written.getvalue()


def png_of(width: int, height: int, data: bytes, *more: tuple[bytes, bytes]) -> bytes:
    """Write a PNG that says it is so large, whatever is in it."""
    header = struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), *more, (b"IDAT", data), (b"IEND", b""))
    written = (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
        for name, content in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(written)


# Documents ----------------------------------------------------------------------------------------


def zipped(entries: Mapping[str, bytes], before: bytes = b"", after: bytes = b"") -> bytes:
    """Pack a ZIP, with something before or after it."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return before + written.getvalue() + after


def office(main: str = "word/document.xml", **more: bytes) -> bytes:
    """Write a document of Office since 2007."""
    entries = {"[Content_Types].xml": b"<Types/>", "_rels/.rels": b"<R/>", main: b"<document/>"}
    return zipped(entries | {name.replace("__", "/"): content for name, content in more.items()})


def open_document(kind: FileKind = FileKind.ODT, **more: bytes) -> bytes:
    """Write a document of LibreOffice."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("mimetype", kind.value)
        archive.writestr("content.xml", "<office/>")
        for name, content in more.items():
            archive.writestr(name.replace("__", "/"), content)
    return written.getvalue()


def compound(*names: str, chain: int = 0xFFFFFFFE) -> bytes:
    """Write a document of Office before 2007, as far as its directory goes; ``chain`` is the sector
    that follows it.
    """
    head = bytearray(512)
    head[:8] = bytes.fromhex("d0cf11e0a1b11ae1")
    struct.pack_into("<H", head, 30, 9)
    struct.pack_into("<I", head, 48, 1)
    struct.pack_into("<109I", head, 76, 0, *[0xFFFFFFFF] * 108)
    table = struct.pack("<128I", 0xFFFFFFFD, chain, *[0xFFFFFFFF] * 126)
    directory = b"".join(_entry(name) for name in ("Root Entry", *names)).ljust(512, b"\0")
    return bytes(head) + table + directory


def _entry(name: str) -> bytes:
    written = name.encode("utf-16-le") + b"\0\0"
    return (written.ljust(64, b"\0") + struct.pack("<H", len(written))).ljust(128, b"\0")


# What nobody should send --------------------------------------------------------------------------

SVG = f"""<svg xmlns="http://www.w3.org/2000/svg" onload="{_SCRIPT}"><script>{_SCRIPT}</script>
<foreignObject><iframe xmlns="http://www.w3.org/1999/xhtml" srcdoc="x"/></foreignObject></svg>"""
PAGE = f"<!doctype html><title>x</title><script>{_SCRIPT}</script><img src=x onerror={_SCRIPT}>"
PDF = b"%PDF-1.4\n1 0 obj<</OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF\n"


@cache
def polyglots() -> tuple[Sent, ...]:
    """Return files that are two things at once: each is one of them here, and handed out so."""
    program = {"Run.class": b"\xca\xfe\xba\xbe" + bytes(40)}
    gif = picture("GIF")
    return (
        Sent("gifar.gif", zipped(program, before=gif), FileKind.GIF, "image/gif"),
        Sent("photo.jpg", zipped(program, before=picture()), FileKind.JPEG),
        Sent("photo.html", picture() + PAGE.encode(), FileKind.JPEG, "text/html"),
        Sent("report.pdf", PDF + PAGE.encode(), FileKind.PDF, "application/pdf"),
        Sent("report.hta", PDF + PAGE.encode(), FileKind.PDF, "text/html"),
        Sent("both.pdf", zipped(program, before=PDF), FileKind.PDF, "application/pdf"),
        Sent("photo.png.html", picture("PNG") + PAGE.encode(), FileKind.PNG, "text/html"),
        Sent("chunk.png", png_of(1, 1, _POINT, (b"tEXt", PAGE.encode())), FileKind.PNG),
        Sent("moving.png", png_of(1, 1, _POINT, *_moving()), FileKind.PNG, "image/apng"),
        Sent("photo.jpg.exe", b"\xff\xd8\xff\xfe\0\x09MZ<!--" + picture()[2:], FileKind.JPEG),
        Sent("saved.mhtml", MHTML, FileKind.TEXT, "application/x-mimearchive"),
        Sent("shift.html", b"+ADw-script+AD4-alert(1)+ADw-/script+AD4-", FileKind.TEXT),
        Sent("run.url", b"[InternetShortcut]\r\nURL=file://192.0.2.1/x\r\n", FileKind.TEXT),
        Sent("drawn.mvg", b"push graphic-context\nimage over 0,0 0,0 'https://x'\n", FileKind.TEXT),
        Sent("huge.docx", _says_huge(office()), FileKind.DOCX),
    )


@cache
def pretenders() -> tuple[Sent, ...]:
    """Return files that are not what they are called, of kinds that a desk does not want."""
    return (
        Sent("drawing.svg", SVG.encode(), FileKind.SVG, "image/svg+xml"),
        Sent("drawing.png", b"\xef\xbb\xbf\n<!-- x -->" + SVG.encode(), FileKind.SVG, "image/png"),
        Sent("old.jpg", f'<?xml version="1.0"?>{SVG}'.encode(), FileKind.SVG),
        Sent("packed.svgz", _gzipped(SVG.encode()), FileKind.ARCHIVE, "image/svg+xml"),
        Sent("photo.jpg", PAGE.encode(), FileKind.PAGE),
        Sent("spaces.txt", b" \r\n\t\x0c" + PAGE.encode(), FileKind.PAGE, "text/plain"),
        Sent("wide.txt", b"\xff\xfe" + PAGE.encode("utf-16-le"), FileKind.PAGE, "text/plain"),
        Sent("late.txt", b"x" * 300 + PAGE.encode(), FileKind.PAGE, "text/plain"),
        Sent("page.pdf", PAGE.encode() + PDF, FileKind.PAGE, "application/pdf"),
        Sent("styled.xml", b'<?xml-stylesheet href="x.xsl"?><a/>', FileKind.PAGE, "text/xml"),
        Sent("photo.jpg", b"MZ\x90\x00\x03" + bytes(60) + b"PE\0\0", FileKind.PROGRAM),
        Sent("run.txt", b"#!/bin/sh\nrm -rf /\n", FileKind.PROGRAM, "text/plain"),
        Sent("link.pdf", b"L\0\0\0\x01\x14\x02\0" + bytes(80), FileKind.PROGRAM),
        Sent("archive.docx", zipped({"../../etc/passwd": b"x"}), FileKind.ARCHIVE),
        Sent("shifted.docx", b"PK\3\4" + bytes(30) + office(), FileKind.ARCHIVE),
        Sent("trailing.docx", office() + b"MZ" + bytes(70_000), FileKind.ARCHIVE),
        Sent("sent.docx", office(word__vbaProject_bin=b"x"), FileKind.MACROS),
        Sent("sent.odt", open_document(Basic__script_lb_xml=b"x"), FileKind.MACROS),
        Sent("sent.doc", compound("WordDocument", "Macros"), FileKind.MACROS),
        Sent("setup.doc", compound("Icon", "Binary"), FileKind.OTHER),
        Sent("nothing.jpg", bytes(2000), FileKind.OTHER),
        Sent("rich.doc", rb"{\rtf1{\object\objdata 0105}}", FileKind.OTHER),
        Sent("bomb.zip", zipped({"zeros": bytes(10**7)}), FileKind.ARCHIVE, "application/zip"),
        Sent("crowd.docx", _crowded(), FileKind.ARCHIVE),
        Sent("empty.zip", _says_huge(zipped({})), FileKind.ARCHIVE, "application/zip"),
        Sent("loop.tif", _looped(), FileKind.OTHER, "image/tiff"),
        Sent("page.png", PAGE.encode(), FileKind.PAGE, "image/png"),
        Sent("invoice.pdf.exe", b"MZ\x90\x00" + PDF, FileKind.PROGRAM, "application/pdf"),
        Sent("laughs.xml", _LAUGHS, FileKind.PAGE, "text/xml"),
        Sent("plain.mht", MHTML.replace(b"=3C", b"<"), FileKind.PAGE, "text/plain"),
        Sent("sheet.csv", b'ID;PWXL;N;E\r\nC;Y1;X1;EEXEC("calc")\r\nE\r\n', FileKind.MACROS),
        Sent("sent.xlsx", office("xl/workbook.xml", xl__macrosheets__s1_xml=b"x"), FileKind.MACROS),
        Sent("code.wasm", b"\0asm\x01\0\0\0", FileKind.OTHER),
        Sent("help.chm", b"ITSF\x03\0\0\0" + bytes(60), FileKind.OTHER),
        Sent("endless.doc", compound("WordDocument", "Workbook", chain=1), FileKind.OTHER),
    )


@cache
def broken() -> tuple[Sent, ...]:
    """Return what begins as a picture and is none, or far too much of one."""
    whole = picture(size=(1200, 900))
    rows = zlib.compress(bytes(65_535 * 3 + 1) * 20, 9)
    return (
        Sent("cut.jpg", whole[: len(whole) // 2], FileKind.JPEG),
        Sent("head.jpg", b"\xff\xd8\xff\xe0", FileKind.JPEG),
        Sent("script.gif", f"GIF89a/*{'x' * 40}*/=1;{_SCRIPT}".encode(), FileKind.GIF, "image/gif"),
        Sent("empty.png", b"\x89PNG\r\n\x1a\n", FileKind.PNG, "image/png"),
        Sent("bomb.png", png_of(65_535, 65_535, rows), FileKind.PNG, "image/png"),
        Sent("wide.png", png_of(2**31 - 1, 1, b"x"), FileKind.PNG, "image/png"),
        Sent("short.png", png_of(400, 400, zlib.compress(b"x")), FileKind.PNG, "image/png"),
        Sent("words.png", png_of(4, 4, b"", (b"zTXt", _text_bomb())), FileKind.PNG, "image/png"),
        Sent("60000.png", png_of(60_000, 60_000, rows), FileKind.PNG, "image/png"),
        Sent("wide.gif", b"GIF89a\xff\xff\xff\xff\0\0\0" + bytes(40), FileKind.GIF, "image/gif"),
        Sent("wide.jpg", _says_wide(picture()), FileKind.JPEG),
        Sent("endless.png", png_of(1, 1, b"", *_moving()), FileKind.PNG, "image/apng"),
        Sent("odd.webp", b"RIFF\xff\xff\xff\xffWEBPVP8L" + bytes(50), FileKind.WEBP, "image/webp"),
    )


_POINT = zlib.compress(bytes(4))
MHTML = b"""From: <saved>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related; boundary=b\r\n
--b\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: quoted-printable\r\n
=3Cscript>alert(1)=3C/script>\r\n--b--\r\n"""
_LAUGHS = b"<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'ha'>" + b"".join(
    f"<!ENTITY {each} '{f'&{before};' * 9}'>".encode()
    for before, each in itertools.pairwise("abcdefghij")
)


def _moving() -> tuple[tuple[bytes, bytes], ...]:
    """Say that a picture moves for ever, by frames of which there is none."""
    return ((b"acTL", struct.pack(">2I", 2**31 - 1, 0)),)


def _says_huge(archive: bytes) -> bytes:
    """Let what is in an archive say that it takes four gigabytes."""
    changed, place = bytearray(archive), 0
    while (place := changed.find(b"PK\1\2", place)) >= 0:
        struct.pack_into("<L", changed, place + 24, 2**32 - 2)
        place += 4
    return bytes(changed)


def _says_wide(jpeg: bytes) -> bytes:
    """Let a JPEG say that it has four thousand million points."""
    changed = bytearray(jpeg)
    struct.pack_into(">2H", changed, changed.index(b"\xff\xc0") + 5, 65_500, 65_500)
    return bytes(changed)


def _looped() -> bytes:
    """Write a TIFF whose only directory is followed by itself."""
    return struct.pack("<2sHLHHHLLL", b"II", 42, 8, 1, 254, 4, 1, 0, 8)


def _text_bomb() -> bytes:
    return b"Comment\0\0" + zlib.compress(bytes(10**8), 9)


def _gzipped(content: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(content) + packer.flush()


def _crowded() -> bytes:
    """A document with a directory of two megabytes."""
    names = (f"word/{'x' * 200}{place}" for place in range(8000))
    entry = struct.Struct("<4s6H3L5H2L")
    directory = b"".join(
        entry.pack(b"PK\1\2", *[0] * 6, *[0] * 3, len(name), *[0] * 4, 0, 0) + name.encode()
        for name in names
    )
    local = b"PK\3\4" + bytes(26)
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 8000, 8000, len(directory), len(local), 0)
    return local + directory + end


NAMES: Mapping[str, str] = {
    "photo.jpg": "photo.jpg",
    "IMG_0042.JPEG": "IMG_0042.JPEG",
    "出钞口 现场照片.jpg": "出钞口 现场照片.jpg",
    "../../../etc/passwd": "passwd.jpg",
    "..\\..\\windows\\win.ini": "win.ini.jpg",
    "C:\\fakepath\\photo.jpg": "photo.jpg",
    "photo\x00.exe": "photo.exe.jpg",
    "photo\u202egpj.exe": "photogpj.exe.jpg",
    "run.exe": "run.exe.jpg",
    "page.html": "page.html.jpg",
    "CON.txt": "_CON.txt.jpg",
    "com1.jpg": "_com1.jpg",
    "con": "_con.jpg",
    "..": "file.jpg",
    "": "file.jpg",
    ".htaccess": "htaccess.jpg",
    "\u200b\u200b.jpg": "file.jpg",
    "a:b|c?.jpg": "a_b_c_.jpg",
    "line\nbreak\r\nSet-Cookie: x.jpg": "line break Set-Cookie_ x.jpg",
    '"; filename="x.html': "_; filename=_x.html.jpg",
    "\ud800.jpg": "file.jpg",
    "照" * 300 + ".jpg": "照" * 58 + ".jpg",
    "  spaced  .jpg": "spaced.jpg",
    "invoice.pdf.exe": "invoice.pdf.exe.jpg",
    "photo.jpg.": "photo.jpg",
    "run.exe. . .": "run.exe.jpg",
    "photo.jpg::$DATA": "photo.jpg__$DATA.jpg",
    "file:///etc/passwd": "passwd.jpg",
    "%2e%2e%2fpasswd": "%2e%2e%2fpasswd.jpg",
    "photo\r\nContent-Type: text/html\r\n\r\n<script>.jpg": "html _script_.jpg",
    "\u2066exe.\u2069gpj.jpg": "exe.gpj.jpg",
    "\u061cphoto\ufeff.jpg": "photo.jpg",
    "photo\u2028.jpg": "photo.jpg",
    "LPT\u00b9.jpg": "_LPT\u00b9.jpg",
    "desktop.ini": "desktop.ini.jpg",
}
"""What photographs may be called by whoever sends them, and are called here."""
