"""What the roster calls regions and product lines, however somebody writes them (R2, R16).

``广东省``, ``廣東`` and ``Guangdong Province`` are ``广东`` or ``Guangdong``, whichever of them the
roster has. What it does not have is refused with what there is: it is mostly a typing error, and
nobody would serve it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from domain.issue.intake import Intake
from domain.terms import Terms
from domain.vocabulary import Model

_RANKS = re.compile(
    "(?<=..)(?:(?:壮族|回族|维吾尔)?自治区|特别行政区|省|市)$"
    "|(?<=..)(?:province|municipality|city|autonomousregion|sar)$"
)
"""What a region is, at the end of its full name; two characters of it are left at least."""
_SIMPLIFIED = str.maketrans(
    "廣東內龍遼寧蘇雲貴陝肅臺灣門慶漢區維爾壯別藏濟瀋陽長鄭爐齊",
    "广东内龙辽宁苏云贵陕肃台湾门庆汉区维尔壮别藏济沈阳长郑炉齐",
)


def _plain(name: str) -> str:
    return "".join(unicodedata.normalize("NFKC", name).split()).casefold()


def _region(name: str) -> str:
    return _RANKS.sub("", _plain(name).translate(_SIMPLIFIED))


def _named(said: str, names: frozenset[str], plain: Callable[[str], str]) -> str:
    """Return the one name that is meant, or what was said if it is none or may be several."""
    if said in names:
        return said
    same = [name for name in names if plain(name) == plain(said)]
    return same[0] if len(same) == 1 else said


class Known(Model):
    """The regions that some centre serves, and the product lines that somebody is or was certified
    for. A roster without any knows none better: then all are taken as they are. And what the policy
    calls its kinds and categories; a desk without a policy goes by those of old.
    """

    regions: frozenset[str] = frozenset()
    product_lines: frozenset[str] = frozenset()
    terms: Terms = Terms()

    def in_our_words(self, intake: Intake) -> Intake:
        """Write region and product line as the roster does, and say of kind and category what the
        policy does.
        """
        ours = {
            "region": _named(intake.region, self.regions, _region),
            "product_line": _named(intake.product_line, self.product_lines, _plain),
        }
        same = all(getattr(intake, name) == value for name, value in ours.items())
        written = intake if same else intake.model_copy(update=ours)
        return written.in_terms_of(self.terms)

    def unknown(self, intake: Intake) -> Iterator[str]:
        """Name what roster or policy does not have, with what it has: for the doors. What has come
        through one goes on, also where a product line is dropped meanwhile, and what arises from it
        is about the same product (R21).
        """
        yield from self.terms.unknown(intake.kind, intake.category)
        if intake.region not in self.regions:
            yield self.no_such_region(intake.region)
        lines = self.product_lines
        if lines and intake.product_line not in lines and not intake.arises_from:
            known = ", ".join(sorted(lines))
            yield f"product_line: nobody works on {intake.product_line}; known: {known}"

    def no_such_region(self, region: str) -> str:
        """Say that nobody serves a region, with those that somebody does."""
        known = ", ".join(sorted(self.regions)) or "none: import a roster first"
        return f"region: no service centre serves {region}; known: {known}"
