"""Pictures are shown small, upright and with nothing else in them; what is none is told so."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from domain.files.kinds import PICTURES, FileKind
from runtime.pictures import Darkroom, NotShown
from tests.support import hostile_files as files
from tests.support.hostile_files import Sent

pytestmark = pytest.mark.program


@pytest.fixture(scope="module")
def darkroom() -> Iterator[Darkroom]:
    made = Darkroom(at_once=1)
    yield made
    made.close()


def seen(written: bytes) -> Image.Image:
    shown = Image.open(io.BytesIO(written), formats=["JPEG"])
    shown.load()
    return shown


def is_red(picture: Image.Image, place: tuple[int, int]) -> bool:
    red, green, blue = picture.convert("RGB").getpixel(place)  # type: ignore[misc]
    return bool(red > 180 and green < 80 and blue < 80)


@pytest.mark.parametrize("kind", PICTURES)
@pytest.mark.parametrize("edge", [320, 1280])
def test_a_picture_of_any_kind_is_shown_small(
    darkroom: Darkroom, kind: FileKind, edge: int
) -> None:
    shown = seen(darkroom.small(files.picture(PICTURES[kind], (2000, 1000)), kind, edge))
    assert shown.size == (edge, edge // 2)
    assert is_red(shown, (5, 5))
    assert not is_red(shown, (edge - 5, edge // 2 - 5))


def test_a_picture_that_is_small_already_is_not_blown_up(darkroom: Darkroom) -> None:
    assert seen(darkroom.small(files.picture("PNG", (40, 30)), FileKind.PNG, 320)).size == (40, 30)


def test_a_photograph_stands_upright_and_says_neither_where_nor_by_what_it_was_taken(
    darkroom: Darkroom,
) -> None:
    taken = files.photograph()
    assert files.PLACE in taken
    small = darkroom.small(taken, FileKind.JPEG, 320)
    shown = seen(small)
    assert shown.size == (240, 320)
    assert is_red(shown, (5, 5))
    assert not shown.getexif()
    assert not {"exif", "comment", "xmp", "icc_profile"} & shown.info.keys()
    for trace in (files.PLACE, b"Exif", b"WGS-84", b"<script"):
        assert trace not in small


@pytest.mark.parametrize("sent", files.polyglots()[:3], ids=lambda sent: sent.name)
def test_nothing_of_what_lies_behind_a_picture_is_shown_with_it(
    darkroom: Darkroom, sent: Sent
) -> None:
    small = darkroom.small(sent.content, sent.kind, 320)
    assert seen(small).size
    for trace in (b"Run.class", b"PK", b"<script", files.RAN.encode()):
        assert trace not in small


@pytest.mark.parametrize("sent", files.broken(), ids=lambda sent: sent.name)
def test_what_begins_as_a_picture_and_is_none_is_told_so(darkroom: Darkroom, sent: Sent) -> None:
    with pytest.raises(NotShown, match="picture"):
        darkroom.small(sent.content, sent.kind, 320)


def test_a_picture_of_more_points_than_any_camera_takes_is_not_even_begun(
    darkroom: Darkroom,
) -> None:
    with pytest.raises(NotShown, match="million points"):
        darkroom.small(files.png_of(65_535, 65_535, b"none"), FileKind.PNG, 320)


def test_a_picture_is_read_as_what_it_was_found_to_be_and_as_nothing_else(
    darkroom: Darkroom,
) -> None:
    with pytest.raises(NotShown):
        darkroom.small(files.picture("PNG"), FileKind.JPEG, 320)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16", "CMYK"])
def test_whatever_its_points_are_made_of_a_picture_is_seen(darkroom: Darkroom, mode: str) -> None:
    drawn = Image.new(mode, (400, 200))
    written = io.BytesIO()
    format_ = "JPEG" if mode == "CMYK" else "PNG"
    drawn.save(written, format_)
    kind = FileKind.JPEG if mode == "CMYK" else FileKind.PNG
    assert seen(darkroom.small(written.getvalue(), kind, 320)).size == (320, 160)


def test_one_that_takes_too_much_holds_up_nobody(darkroom: Darkroom) -> None:
    hasty = Darkroom(at_once=1, seconds=0.01)
    large = files.picture("PNG", (8000, 8000))
    with pytest.raises(NotShown, match="too much"):
        hasty.small(large, FileKind.PNG, 320)
    hasty.close()
    assert seen(darkroom.small(large, FileKind.PNG, 320)).size == (320, 320)
