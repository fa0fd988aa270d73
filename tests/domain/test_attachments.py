"""Which files are taken."""

from __future__ import annotations

import pytest

from domain.attachments import Extent, Limits, NotTaken
from domain.files.kinds import RISKY, FileKind


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
    limits.require_kind(FileKind.PNG)
    with pytest.raises(NotTaken, match="image/gif is not taken; what is: image/png") as refused:
        limits.require_kind(FileKind.GIF)
    assert (refused.value.why, refused.value.type) == ("kind", "Invalid")


def test_what_browsers_might_run_is_wanted_by_no_policy_that_does_not_say_so() -> None:
    assert not RISKY & set(Limits().kinds)
    assert Limits.model_validate({"kinds": ["image/svg+xml"]}).kinds == (FileKind.SVG,)
    with pytest.raises(ValueError, match="kinds"):
        Limits.model_validate({"kinds": ["image/jpg"]})
