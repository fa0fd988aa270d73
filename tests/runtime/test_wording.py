"""Scripts are read from a file; what is wrong with them is named with its line (R40)."""

from __future__ import annotations

from pathlib import Path

import pytest

from runtime.wording import OWN, WordingError, beside, load

TEXT = OWN.read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "wording.toml"


def refusal(file: Path, text: str) -> str:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(WordingError) as refused:
        load(file)
    return str(refused.value).replace(str(file), file.name)


def line_of(part: str, after: str = "") -> int:
    place = TEXT.index(part, TEXT.index(after))
    return TEXT.count("\n", 0, place) + 1


def without(part: str) -> str:
    assert part in TEXT
    return TEXT.replace(part, "", 1)


SEARCHING = """[[searching]]
zh = "请您稍等，我马上为您查一下。"
en = "One moment, please, I am looking it up for you."
"""


def test_a_wording_that_lacks_a_script_is_refused_with_its_name(file: Path) -> None:
    assert refusal(file, without(SEARCHING)) == (
        "wording.toml: searching: is missing: write [[searching]] with zh and en"
    )


def test_a_wording_that_lacks_a_language_is_refused_with_its_line(file: Path) -> None:
    assert refusal(file, without('en = "One moment, please, I am looking it up for you."\n')) == (
        f"wording.toml, line {line_of('[[searching]]')}: searching[1].en: is missing: add it"
    )


def test_a_wording_that_names_a_place_that_is_not_there_is_refused_with_its_line(
    file: Path,
) -> None:
    written = TEXT.replace("请您稍等", "{machine}请您稍等")
    assert refusal(file, written) == (
        f"wording.toml, line {line_of('请您稍等')}: searching[1].zh: there is no {{machine}} here;"
        " there are: {company}, {speaker}, {number}"
    )


def test_a_wording_that_refuses_a_customer_is_refused_with_its_line(file: Path) -> None:
    written = TEXT.replace("请您稍等", "没办法，请您稍等")
    said = refusal(file, written)
    assert said.startswith(f"wording.toml, line {line_of('请您稍等')}: searching[1].zh: nobody may")


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (TEXT + '\n[[joke]]\nzh = "哈"\nen = "ha"\n', "joke: there is no such script; there are: "),
        (TEXT.replace("[[searching]]", "[searching]"), "searching: write [[searching]] with zh"),
        (TEXT[: TEXT.index("[never]")], "never.zh: is missing: list the phrases"),
        (TEXT.replace("searching = {", "looking = {"), "when.looking: "),
        (TEXT + "\n[[greeting", "no valid TOML"),
    ],
)
def test_whatever_else_is_wrong_is_said(file: Path, written: str, reason: str) -> None:
    assert reason in refusal(file, written)


def test_everything_that_is_wrong_is_said_at_once(file: Path) -> None:
    written = TEXT.replace("请您稍等", "{machine}没办法").replace("不要挂机", "不可能")
    assert len(refusal(file, written).splitlines()) == 4


def test_a_file_beside_the_policy_takes_the_place_of_ours(tmp_path: Path, file: Path) -> None:
    assert beside(tmp_path / "policy.toml") == OWN
    file.write_text(TEXT, encoding="utf-8")
    assert beside(tmp_path / "policy.toml") == file
