"""A file is what its content says, and is called what any system can keep."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.files.kinds import PICTURES, RISKY, FileKind, kind_of
from domain.files.names import name_of
from tests.support import hostile_files as files
from tests.support.hostile_files import NAMES, Sent

FTYP = b"\0\0\0\x18ftyp"
KNOWN: dict[str, tuple[bytes, FileKind]] = {
    "jpeg": (files.picture("JPEG"), FileKind.JPEG),
    "photograph": (files.photograph(), FileKind.JPEG),
    "png": (files.picture("PNG"), FileKind.PNG),
    "gif": (files.picture("GIF"), FileKind.GIF),
    "webp": (files.picture("WEBP"), FileKind.WEBP),
    "heic": (FTYP + b"heic" + bytes(20), FileKind.HEIC),
    "pdf": (files.PDF, FileKind.PDF),
    "utf-8": ("出钞口卡钞，型号 K-2\n".encode(), FileKind.TEXT),
    "gbk": ("出钞口卡钞".encode("gb18030"), FileKind.TEXT),
    "utf-16": (b"\xff\xfe" + "出钞口".encode("utf-16-le"), FileKind.TEXT),
    "log": (b"\x1b[31mERROR\x1b[0m a < b, b > c\n" * 10, FileKind.TEXT),
    "csv": (b"ID;Produkt;Ort\r\n1;K-2;Bonn\r\n", FileKind.TEXT),
    "docx": (files.office(), FileKind.DOCX),
    "xlsx": (files.office("xl/workbook.xml"), FileKind.XLSX),
    "pptx": (files.office("ppt/presentation.xml"), FileKind.PPTX),
    "odt": (files.open_document(), FileKind.ODT),
    "ods": (files.open_document(FileKind.ODS), FileKind.ODS),
    "doc": (files.compound("WordDocument", "1Table"), FileKind.DOC),
    "xls": (files.compound("Workbook"), FileKind.XLS),
    "ppt": (files.compound("Current User", "PowerPoint Document"), FileKind.PPT),
    "mp4": (FTYP + b"isom" + bytes(20), FileKind.MP4),
    "mov": (FTYP + b"qt  " + bytes(20), FileKind.MOV),
    "amr": (b"#!AMR\n" + bytes(20), FileKind.AMR),
    "mp3": (b"ID3\x03\0" + bytes(20), FileKind.MP3),
    "wav": (b"RIFF\0\0\0\0WAVE" + bytes(20), FileKind.WAV),
}
UNWANTED = files.pretenders()
TWO_AT_ONCE = (*files.polyglots(), *files.broken())


@pytest.mark.parametrize(("content", "kind"), KNOWN.values(), ids=KNOWN)
def test_a_file_is_what_its_content_says(content: bytes, kind: FileKind) -> None:
    assert kind_of(content) is kind


@pytest.mark.parametrize("sent", UNWANTED, ids=lambda sent: sent.name)
def test_whatever_pretends_to_be_harmless_is_known_for_what_it_is(sent: Sent) -> None:
    assert kind_of(sent.content) is sent.kind
    assert sent.kind in RISKY
    assert sent.kind.handed_out_as is FileKind.OTHER
    assert name_of(sent.name, sent.kind).endswith(".bin")


@pytest.mark.parametrize("sent", TWO_AT_ONCE, ids=lambda sent: sent.name)
def test_what_is_two_things_at_once_is_what_it_begins_as_and_is_called_so(sent: Sent) -> None:
    assert kind_of(sent.content) is sent.kind
    assert name_of(sent.name, sent.kind).endswith(sent.kind.endings)


@pytest.mark.parametrize(("written", "name"), NAMES.items(), ids=ascii)
def test_a_name_leads_nowhere_and_ends_as_its_kind_does(written: str, name: str) -> None:
    assert name_of(written, FileKind.JPEG) == name


def test_no_text_is_called_as_what_a_system_goes_by_when_it_shows_a_folder() -> None:
    assert name_of("desktop.ini", FileKind.TEXT) == "desktop.ini.txt"


@given(written=st.text(st.characters() | st.sampled_from('../\\:\x00\u202e"%. '), max_size=400))
@pytest.mark.parametrize("kind", [FileKind.JPEG, FileKind.TEXT, FileKind.OTHER])
def test_whatever_a_file_is_called_its_name_can_be_kept(kind: FileKind, written: str) -> None:
    name = name_of(written, kind)
    assert not set(name) & set('/\\:"<>|?*\0\r\n\u202e')
    assert name.lower().endswith(kind.endings)
    assert 0 < len(name.encode()) <= 200
    assert not name.startswith(".")
    assert name_of(name, kind) == name


@given(content=st.binary(max_size=600))
def test_whatever_is_in_a_file_it_is_of_some_kind(content: bytes) -> None:
    assert kind_of(content) in FileKind


@given(place=st.integers(0, 1000), junk=st.binary(max_size=40), made=st.sampled_from(sorted(KNOWN)))
def test_a_file_that_is_damaged_anywhere_is_still_of_some_kind(
    made: str, place: int, junk: bytes
) -> None:
    content = KNOWN[made][0]
    place %= len(content)
    kind_of(content[:place] + junk + content[place + len(junk) :])
    kind_of(content[:place])


def test_nothing_is_shown_that_is_not_a_picture() -> None:
    assert not RISKY & PICTURES.keys()
    assert {kind for kind in FileKind if kind.is_picture} == set(PICTURES)
    assert all(ending.startswith(".") for kind in FileKind for ending in kind.endings)
