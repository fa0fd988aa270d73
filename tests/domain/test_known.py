"""Regions and product lines, as the roster has them, however somebody writes them."""

from __future__ import annotations

import pytest

from domain.staff.known import Known
from tests.support.builders import an_intake

KNOWN = Known(
    regions=frozenset(
        {
            *("广东", "内蒙古", "广西", "宁夏", "新疆", "西藏", "香港", "上海", "黑龙江", "陕西"),
            "Bayern",
        }
    ),
    product_lines=frozenset({"ATM", "KIOSK", "监控"}),
)


@pytest.mark.parametrize(
    ("written", "region"),
    [
        ("广东", "广东"),
        ("广东省", "广东"),
        (" 广 东 省 ", "广东"),
        ("廣東省", "广东"),
        ("內蒙古自治區", "内蒙古"),
        ("内蒙古自治区", "内蒙古"),
        ("广西壮族自治区", "广西"),
        ("宁夏回族自治区", "宁夏"),
        ("新疆维吾尔自治区", "新疆"),
        ("西藏自治区", "西藏"),
        ("香港特别行政区", "香港"),
        ("上海市", "上海"),
        ("黑龍江省", "黑龙江"),
        ("陝西省", "陕西"),
        ("bayern", "Bayern"),
        ("ＢＡＹＥＲＮ", "Bayern"),
    ],
)
def test_a_region_is_the_rosters_however_its_full_name_is_written(
    written: str, region: str
) -> None:
    ours = KNOWN.in_our_words(an_intake(region=written, product_line="ATM"))
    assert ours.region == region
    assert list(KNOWN.unknown(ours)) == []


@pytest.mark.parametrize(
    ("written", "line"), [("atm", "ATM"), ("ＡＴＭ", "ATM"), ("Kiosk", "KIOSK")]
)
def test_a_product_line_is_the_rosters_whatever_its_letters(written: str, line: str) -> None:
    ours = KNOWN.in_our_words(an_intake(region="广东", product_line=written))
    assert ours.product_line == line


def test_a_roster_that_writes_the_full_name_is_met_by_the_short_one() -> None:
    known = Known(regions=frozenset({"广东省"}))
    assert known.in_our_words(an_intake(region="广东")).region == "广东省"


def test_of_two_names_that_might_be_meant_none_is_taken_unless_it_is_written_so() -> None:
    known = Known(regions=frozenset({"吉林省", "吉林市"}))
    assert [known.in_our_words(an_intake(region=r)).region for r in ("吉林", "吉林市")] == [
        *("吉林", "吉林市")
    ]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"region": "广州"}, ["region: no service centre serves 广州; known: "]),
        ({"region": "省"}, ["region: no service centre serves 省; known: "]),
        ({"product_line": "XYZ"}, ["product_line: nobody works on XYZ; known: ATM, KIOSK, 监控"]),
        (
            {"region": "Mars", "product_line": "ATN"},
            ["region: no service centre serves Mars", "product_line: nobody works on ATN"],
        ),
    ],
)
def test_what_the_roster_does_not_have_is_named_with_what_it_has(
    changes: dict[str, str], said: list[str]
) -> None:
    intake = KNOWN.in_our_words(an_intake(**{"region": "广东", "product_line": "ATM"} | changes))
    found = list(KNOWN.unknown(intake))
    assert len(found) == len(said)
    assert all(each.startswith(begins) for each, begins in zip(found, said, strict=True))


def test_a_roster_without_product_lines_takes_all() -> None:
    known = Known(regions=frozenset({"广东"}))
    intake = an_intake(region="广东", product_line="anything")
    assert list(known.unknown(intake)) == []
    assert known.in_our_words(intake) == intake


def test_what_arises_from_another_issue_is_about_its_product_though_nobody_works_on_it_now() -> (
    None
):
    intake = an_intake(region="广东", product_line="OLD", arises_from="issue:web:r-0")
    assert list(KNOWN.unknown(intake)) == []
