"""One number, however it was written (R22); what can be done with it; and what is none."""

from __future__ import annotations

import re
from collections.abc import Iterator

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberType

from domain import telephone
from domain.issue.intake import Customer
from domain.telephone import Telephone, Unreadable


@pytest.mark.parametrize(
    ("number", "spellings"),
    [
        (
            "+8613900007654",
            (
                "139 0000 7654|+8613900007654|0086 139-0000-7654|86-139 0000 7654"
                "|(+86) 139 0000 7654|tel:+86-139-0000-7654|tel:+86-139-0000-7654;phone-context=+86"
                "|８６１３９００００７６５４|＋８６ 139 0000 7654|013900007654"
                "|139.0000.7654|139·0000·7654"
                "|13900007654.0|1.3900007654E+10|手机：139 0000 7654"
                "|086 139 0000 7654|+086 13900007654"
                "|١٣٩ ٠٠٠٠ ٧٦٥٤|139—0000—7654|17951 13900007654"
                "|一三九 零零零零 七六五四|幺三九零零零零七六五四"
                "|+ (86) 139 0000 7654|139\u200b0000\u20607654|\u202d13900007654\u202c"
                "|１３９　００００　７６５４"
            ),
        ),
        (
            "+862155550199",
            (
                "021-5555 0199|+86 21 5555 0199|0086 (0)21 5555 0199|86 21 5555 0199|(021)55550199"
                "|（021）5555－0199|+86 (0)21-5555-0199|86021 5555 0199|(86)21-55550199"
                "|（021）5555-0199"
                "|０２１－５５５５０１９９|2155550199|2155550199.00|[021] 5555 0199"
                "|【021】5555 0199|电话:021—55550199"
                "|021 5555．0199|Tel. 021-55550199"
            ),
        ),
        (
            "+862155550199(802)",
            (
                "021-5555 0199-802|021 5555 0199 转 802|+86 21 5555 0199 ext. 802"
                "|（021）55550199转８０２|0086 21 5555 0199 802|021-55550199转分机802"
                "|021-55550199转分机号：802|021-55550199（分机802）|tel:+862155550199;ext=802"
                "|021-55550199 x802|021-55550199#802|021-55550199*802|021-55550199,802"
                "|021-55550199,,802|021-55550199 Extension 802|021-55550199 內線 802"
                "|021-55550199 轉 802|+862155550199(802)|021-55550199转802分机|021-55550199转八零二"
                "|021-55550199 Ext:802|021-55550199;ext=802|021 55550199--802"
            ),
        ),
        ("+862155550199(0802)", "021-55550199转0802|tel:+862155550199;ext=0802"),
        (
            "+864006660199",
            (
                "400-666-0199|4006660199|+86 400 666 0199|0086 4006660199|400 6660 199"
                "|４００－６６６０１９９"
            ),
        ),
        ("+864006660199(12345)", "400-666-0199转12345|4006660199 ext 12345|400-666-0199-12345"),
        ("+868008100199", "800 810 0199|8008100199|86-800-810-0199"),
        ("95588", "95588|+86 95588|９５５８８|客服 95588|0086 95588"),
        ("12345", "12345|12345热线"),
        ("10086", "10086|+86 10086"),
        ("+862096110", "020-96110|（020）96110"),
        ("950133255123456", "95013 3255 1234 56|95013-3255123456"),
        ("+85223456789", "+852 2345 6789|00852 2345 6789|(852) 2345-6789|852 2345 6789"),
        ("+85366123456", "+853 6612 3456|00853-66123456|853 6612 3456"),
        ("+886912345678", "+886 912 345 678|00886 912345678|886-912-345-678|+886 0912-345-678"),
        ("+442079460018", "+44 20 7946 0018|0044 (0)20 7946 0018|+44 (0) 20 7946 0018"),
        ("+14155550132", "+1 (415) 555-0132|001 415 555 0132|tel:+1-415-555-0132"),
        ("5550101", "5550101|555-0101|555 0101"),
        ("55500101(801)", "5550 0101 转 801|55500101转801"),
    ],
)
def test_however_it_is_written_it_is_one_number(number: str, spellings: str) -> None:
    for written in spellings.split("|"):
        assert str(telephone.read(written)) == number, written


@pytest.mark.parametrize(
    ("written", "kept"),
    [(13900007654, "+8613900007654"), (13900007654.0, "+8613900007654"), (95588, "95588")],
)
def test_a_number_may_be_a_number(written: object, kept: str) -> None:
    assert str(telephone.understand(written).telephone) == kept


def test_two_extensions_of_one_switchboard_are_two() -> None:
    assert telephone.read("021 5555 0199-802") != telephone.read("021 5555 0199-803")


def test_a_number_is_not_taken_for_one_with_an_extension() -> None:
    assert telephone.read("139 0000 7654") == Telephone("+8613900007654")
    assert telephone.read("0371-6555 0199") == Telephone("+8637165550199")


@pytest.mark.parametrize(
    ("written", "first"),
    [
        ("13800000001/13900000001", "+8613800000001"),
        ("13800000001 13900000001", "+8613800000001"),
        ("13800000001-13900000001", "+8613800000001"),
        ("13800000001、13900000001", "+8613800000001"),
        ("13800000001，13900000001", "+8613800000001"),
        ("13800000001；13900000001", "+8613800000001"),
        ("13800000001或13900000001", "+8613800000001"),
        ("13800000001 or 139 0000 0001", "+8613800000001"),
        ("138 0000 0001 139 0000 0001", "+8613800000001"),
        ("020-55500101 55500102", "+862055500101"),
        ("020-55500101/02", "+862055500101"),
        ("020-55500101转801/13800000001", "+862055500101(801)"),
        ("020-55500101转801、802", "+862055500101(801)"),
        ("5550101 5550102", "5550101"),
        ("13800000001 王女士", "+8613800000001"),
        ("王女士 13800000001", "+8613800000001"),
        ("13800000001（下午三点后）", "+8613800000001"),
        ("13800000001 95588", "+8613800000001"),
        ("13800000001\n13900000001", "+8613800000001"),
    ],
)
def test_of_several_it_is_the_first_and_the_field_says_more(written: str, first: str) -> None:
    number, alone = telephone.understand(written)
    assert (str(number), alone) == (first, False)


@pytest.mark.parametrize(
    "written",
    ["13800000001", "手机 13800000001", "（020）5550-0101", "Tel: 020-55500101转801", "tel:95588"],
)
def test_a_number_and_what_it_is_called_is_all_there_is(written: str) -> None:
    assert telephone.understand(written).alone


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "telephone_missing"),
        ("unknown", "telephone_missing"),
        ("转", "telephone_missing"),
        ("+", "telephone_missing"),
        ("张三", "telephone_missing"),
        ("无", "telephone_missing"),
        (None, "telephone_missing"),
        (True, "telephone_missing"),
        ([], "telephone_missing"),
        (1.5, "telephone_missing"),
        (float("inf"), "telephone_missing"),
        ("110", "telephone_length"),
        ("1-2-3", "telephone_length"),
        ("0000000", "telephone_length"),
        ("about 5", "telephone_length"),
        ("138000000011390000000111", "telephone_length"),
        ("1" * 22, "telephone_length"),
        ("1" * 201, "telephone_length"),
        ("+999 123 456 789 012", "telephone_length"),
        ("8.6139E+12", "telephone_rounded"),
        ("8.61390E+12", "telephone_rounded"),
        ("1.38E+10", "telephone_rounded"),
        ("1E+10", "telephone_rounded"),
        ("８.６１３９Ｅ＋１２", "telephone_rounded"),
    ],
)
def test_what_holds_no_number_is_refused_with_the_reason(written: object, why: str) -> None:
    with pytest.raises(Unreadable, match=re.escape(telephone.REASONS[why])) as refused:  # type: ignore[index]
        telephone.understand(written)
    assert refused.value.why == why


def test_a_mistyped_number_is_still_told_from_others() -> None:
    assert telephone.read("1390000765") == telephone.read("+86 139 0000 765")
    assert telephone.read("1390000765") != telephone.read("1390000764")


# What can be done with it -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "kind", "texts"),
    [
        ("13800000001", "mobile", True),
        ("+852 9123 4567", "mobile", True),
        ("+1 415 555 0132", "mobile", True),
        ("+44 7911 123456", "mobile", True),
        ("13800000001转8", "mobile", False),
        ("020-55500101", "landline", False),
        ("020-55500101转801", "landline", False),
        ("+44 20 7946 0018", "landline", False),
        ("400-666-0199", "service", False),
        ("800 810 0199", "service", False),
        ("95588", "service", False),
        ("12345", "service", False),
        ("9501 3123 456", "service", False),
        ("95013 3255 1234 56", "service", False),
        ("5550101", "unknown", False),
        ("1390000765", "unknown", False),
    ],
)
def test_only_a_mobile_without_an_extension_takes_texts(
    written: str, kind: str, *, texts: bool
) -> None:
    number = telephone.read(written)
    assert number
    assert (number.kind, number.takes_texts) == (kind, texts)


@pytest.mark.parametrize(
    ("written", "shown", "uri"),
    [
        ("13800000001", "+86 138 0000 0001", "tel:+8613800000001"),
        ("020-55500101转801", "+86 20 5550 0101 转 801", "tel:+862055500101;ext=801"),
        ("400-666-0199", "400 666 0199", "tel:4006660199"),
        ("95588", "95588", "tel:95588"),
        ("5550101", "5550101", "tel:5550101"),
        ("+442079460018", "+44 20 7946 0018", "tel:+442079460018"),
    ],
)
def test_a_number_is_shown_as_people_read_it_and_linked_as_telephones_dial_it(
    written: str, shown: str, uri: str
) -> None:
    number = telephone.read(written)
    assert number
    assert (number.shown, number.uri) == (shown, uri)


# Whatever comes -----------------------------------------------------------------------------------

_TYPES = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE, PhoneNumberType.TOLL_FREE)


def _examples() -> Iterator[phonenumbers.PhoneNumber]:
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        for type_ in _TYPES:
            if number := phonenumbers.example_number_for_type(region, type_):
                yield number


@st.composite
def numbers_in_use(draw: st.DrawFn) -> phonenumbers.PhoneNumber:
    """Numbers of all countries, half of them ours."""
    if draw(st.booleans()):
        begins = draw(st.sampled_from(("138", "159", "187", "20555", "2155", "371655", "400666")))
        rest = (11 if begins[0] == "1" else 10) - len(begins) + (begins == "371655")
        national = begins + "".join(
            draw(st.lists(st.sampled_from("0123456789"), min_size=rest, max_size=rest))
        )
        number = phonenumbers.parse(national, "CN")
    else:
        number = draw(st.sampled_from(EXAMPLES))
        digits = str(number.national_number)
        last = draw(st.integers(0, 999))
        changed = phonenumbers.PhoneNumber()
        changed.merge_from(number)
        changed.national_number = int(f"{digits[:-3]}{last:03}")
        number = changed if phonenumbers.is_valid_number(changed) else number
    return number


EXAMPLES = tuple(_examples())
_WIDE = str.maketrans("0123456789+-() ", "０１２３４５６７８９＋－（）　")
_FORMATS = (
    phonenumbers.PhoneNumberFormat.E164,
    phonenumbers.PhoneNumberFormat.INTERNATIONAL,
    phonenumbers.PhoneNumberFormat.RFC3966,
)


@st.composite
def spelt(draw: st.DrawFn) -> tuple[str, str]:
    """A number in use as it is kept, and one of its spellings."""
    number = draw(numbers_in_use())
    kept = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    written = phonenumbers.format_number(number, draw(st.sampled_from(_FORMATS)))
    if number.country_code == 86 and draw(st.booleans()):
        written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
    elif written.startswith("+") and draw(st.booleans()):
        written = f"00{written[1:]}"
    extension = draw(st.sampled_from(("", "8", "801", "0801", "65001")))
    if extension:
        mark = draw(
            st.sampled_from(("转", " 转 ", "转分机", " ext. ", ";ext=", " x", "#", "（分机"))
        )
        written, kept = f"{written}{mark}{extension}", f"{kept}({extension})"
    separator = draw(st.sampled_from((" ", "-", "  ", ".", "—")))
    written = written.replace(" ", separator) if not extension else written
    return kept, written.translate(_WIDE) if draw(st.booleans()) else written


@given(spelling=spelt())
def test_all_spellings_of_a_number_in_use_read_to_the_same(spelling: tuple[str, str]) -> None:
    kept, written = spelling
    assert str(telephone.read(written)) == kept


@given(spelling=spelt())
def test_what_is_kept_shown_or_linked_reads_as_itself(spelling: tuple[str, str]) -> None:
    number = telephone.read(spelling[1])
    assert number
    for written in (str(number), number.shown, number.uri, telephone.shown(str(number))):
        assert telephone.read(written) == number


LOOKS_LIKE_NUMBERS = st.text(alphabet="0123456789٣९+-()（）转ext#,;/. e、一〇", max_size=40)


@example(written="2055500转101")
@example(written="75512345转678")
@example(written="+4930123456-78")
@example(written="+49(000055500101")
@example(written="\x00\ud800")
@given(written=st.one_of(st.text(max_size=250), LOOKS_LIKE_NUMBERS))
def test_any_text_is_a_number_that_can_be_kept_or_is_refused(written: str) -> None:
    try:
        number, _ = telephone.understand(written)
    except Unreadable:
        return
    assert telephone.read(str(number)) == number
    assert telephone.read(number.shown) == number
    assert Customer(name="x", phone=str(number)).phone == str(number), "intakes of before take it"
    assert number.uri.startswith("tel:")
