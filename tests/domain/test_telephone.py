"""One number, however it was written (R22)."""

import pytest

from domain import telephone


@pytest.mark.parametrize(
    ("number", "spellings"),
    [
        (
            "+8613900007654",
            (
                "139 0000 7654|+8613900007654|0086 139-0000-7654|86-139 0000 7654"
                "|(+86) 139 0000 7654|tel:+86-139-0000-7654"
                "|８６１３９００００７６５４|＋８６ 139 0000 7654|013900007654"
            ),
        ),
        (
            "+862155550199",
            (
                "021-5555 0199|+86 21 5555 0199|0086 (0)21 5555 0199|86 21 5555 0199|(021)55550199"
                "|（021）5555－0199|+86 (0)21-5555-0199|86021 5555 0199"
            ),
        ),
        (
            "+862155550199 ext 802",
            (
                "021-5555 0199-802|021 5555 0199 转 802|+86 21 5555 0199 ext. 802"
                "|（021）55550199转８０２|0086 21 5555 0199 802"
            ),
        ),
        ("+864006660199", "400-666-0199|4006660199|+86 400 666 0199|0086 4006660199"),
        ("+868008100199", "800 810 0199|8008100199|86-800-810-0199"),
        ("+85223456789", "+852 2345 6789|00852 2345 6789"),
        ("+442079460018", "+44 20 7946 0018|0044 (0)20 7946 0018"),
        ("+8695588", "95588|+86 95588"),
    ],
)
def test_however_it_is_written_it_is_one_number(number: str, spellings: str) -> None:
    for written in spellings.split("|"):
        assert str(telephone.read(written)) == number, written


def test_two_extensions_of_one_switchboard_are_two() -> None:
    assert telephone.read("021 5555 0199-802") != telephone.read("021 5555 0199-803")


def test_a_number_is_not_taken_for_one_with_an_extension() -> None:
    assert telephone.read("139 0000 7654") == telephone.Telephone("+8613900007654")


def test_another_country_has_other_numbers() -> None:
    assert telephone.read("03-1234-5678", "JP") == telephone.Telephone("+81312345678")
    assert telephone.read("+86 139 0000 7654", "JP") == telephone.read("139 0000 7654")


@pytest.mark.parametrize("written", ["", "110", "1-2-3", "0000000", "转", "+", "-", "unknown"])
def test_what_is_too_short_is_no_number(written: str) -> None:
    assert telephone.read(written) is None


def test_a_mistyped_number_is_still_told_from_others() -> None:
    assert telephone.read("1390000765") == telephone.read("+86 139 0000 765")
    assert telephone.read("1390000765") != telephone.read("1390000764")
