"""Which files are taken, what they are called, and of which kind they are."""

from __future__ import annotations

import pytest

from domain.attachments import (
    BEGINNING,
    UNKNOWN,
    Extent,
    Limits,
    NotTaken,
    file_name,
    kind_of,
)


@pytest.mark.parametrize(
    ("written", "size"),
    [("20MB", 20 * 1024**2), ("1.5 GB", 1536 * 1024**2), ("500KB", 512_000)],
)
def test_a_size_is_written_as_people_write_it_and_stored_as_written(
    written: str, size: int
) -> None:
    limits = Limits.model_validate({"largest": written})
    assert limits.largest.bytes == size
    stored = limits.model_dump(mode="json")
    assert stored["largest"] == written
    assert Limits.model_validate(stored) == limits


@pytest.mark.parametrize("written", ["20", "20 M", "-1MB", 20, "0MB", None])
def test_what_is_no_size_is_refused_with_what_one_is(written: object) -> None:
    with pytest.raises(ValueError, match=r"20MB|greater than 0"):
        Limits.model_validate({"largest": written})


def test_an_issue_takes_so_many_files_and_so_much_together_and_says_which_it_was() -> None:
    limits = Limits.model_validate({"per_issue": 2, "together": "1KB", "kinds": ["image/png"]})
    limits.require_room(Extent(1, 24), 1000)
    with pytest.raises(NotTaken, match="2 files"):
        limits.require_room(Extent(2, 24), 1)
    with pytest.raises(NotTaken, match="1KB"):
        limits.require_room(Extent(1, 25), 1000)
    limits.require_kind("image/png")
    with pytest.raises(NotTaken, match="image/gif is not taken; what is: image/png") as refused:
        limits.require_kind("image/gif")
    assert (refused.value.why, refused.value.type) == ("kind", "Invalid")


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("卡钞 现场.jpg", "卡钞 现场.jpg"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\a\\b.txt", "b.txt"),
        ("\u202egpj.exe", "gpj.exe"),
        ("a\x00b\r\nc.txt", "abc.txt"),
        ("  . .. ", "file"),
        ("\u2800", "file"),
        ("", "file"),
        (".hidden", "hidden"),
        ("a" * 300 + ".jpeg", "a" * 115 + ".jpeg"),
        ("图" * 300, "图" * 120),
        ("a." + "b" * 300, "a." + "b" * 118),
    ],
)
def test_a_file_is_kept_under_a_plain_name(said: str, name: str) -> None:
    assert file_name(said) == name


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", "image/jpeg"),
        (b"\x89PNG\r\n\x1a\n\x00", "image/png"),
        (b"RIFF\x10\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"%PDF-1.7\n%\xe2", "application/pdf"),
        ("读卡器吞卡\n".encode(), "text/plain"),
        (("读" * BEGINNING).encode()[:BEGINNING], "text/plain"),
        (b"<html><script>alert(1)</script>", UNKNOWN),
        (b"\n\xef\xbb\xbf <svg xmlns", UNKNOWN),
        (b"MZ\x90\x00", UNKNOWN),
        (b"\x00" * BEGINNING, UNKNOWN),
        (b"\xff" * BEGINNING, UNKNOWN),
    ],
)
def test_the_kind_is_found_in_the_content(beginning: bytes, kind: str) -> None:
    assert kind_of(beginning) == kind
