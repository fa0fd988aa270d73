"""What a large register is made of, as data: which life is lived again by whom, when, and for which
customer. The same seed is the same register.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

SLOWED = 3_600
"""How much longer everything takes than at the desk of the seeds: hours for its seconds."""
_YEARS = timedelta(days=730)
"""What the register reaches back."""
_OF_LATE = timedelta(days=5)
"""How long ago the open ones came in at most, apart from what they have lived."""
_OPEN = 0.1
"""Which share of the register is open."""
_BRIEFLY = 10
"""How much rarer an open issue is that only waits for a call than one that is worked at."""
_ISSUES_A_CUSTOMER = 5
_ISSUES_A_HAND = 5_000
_AGENTS = 20
_FIRST_AGENT = 10


class Seed(NamedTuple):
    """An issue that was lived, up to ``updated_at``; ``fresh`` if it is of those that were left as
    they were.
    """

    id: str
    number: str
    registered_at: datetime
    updated_at: datetime
    fresh: bool
    open: bool
    brief: bool
    """It has its answer, and is soon called back about."""


class Customer(NamedTuple):
    """Who reported it."""

    customer_name: str
    organisation: str
    contact_person: str
    phone: str


class Copy(NamedTuple):
    """A seed lived again: what was registered at ``begun`` is so at ``origin`` now, and the rest
    comes ``SLOWED``. ``suffix`` makes its id; ``hand`` tells one engineer from others of that name.
    """

    seed: str
    seed_number: str
    suffix: str
    number: str
    begun: datetime
    origin: datetime
    agent: str
    hand: int
    customer_name: str
    organisation: str
    contact_person: str
    phone: str


def hands(issues: int) -> int:
    """Say how many engineers there are for each of the seeds'."""
    return max(1, issues // _ISSUES_A_HAND)


def planned(
    seeds: Sequence[Seed], issues: int, now: datetime, zone: ZoneInfo, seed: int = 0
) -> Iterator[Copy]:
    """Plan so many issues, or a few more, in the order in which they came in."""
    drawn = random.Random(f"register-{seed}")  # noqa: S311  no secret
    customers = [a_customer(drawn) for _ in range(max(1, issues // _ISSUES_A_CUSTOMER))]
    serials: defaultdict[tuple[date, str], int] = defaultdict(int)
    for registered_at, place, each in _times(seeds, issues, now, drawn):
        day = registered_at.astimezone(zone).date()
        agent = f"{_FIRST_AGENT + drawn.randrange(_AGENTS)}"
        serials[day, agent] += 1
        yield Copy(
            seed=each.id,
            seed_number=each.number,
            suffix=f".{place}",
            number=f"{day:%Y%m%d}-{agent}-{serials[day, agent]:04d}",
            begun=each.registered_at,
            origin=registered_at,
            agent=agent,
            hand=drawn.randrange(hands(issues)),
            **drawn.choice(customers)._asdict(),
        )


def _times(
    seeds: Sequence[Seed], issues: int, now: datetime, drawn: random.Random
) -> list[tuple[datetime, int, Seed]]:
    """Lay out how often all that were left open, and all that came to their end, are lived again,
    and when each is registered: nothing lies in the future that has been done.
    """
    fresh = [each for each in seeds if each.fresh and not each.brief]
    brief = [each for each in seeds if each.fresh and each.brief]
    over = [each for each in seeds if not each.fresh]
    times_fresh = -(-round(issues * _OPEN) // sum(each.open for each in fresh))
    times_brief = times_fresh // _BRIEFLY
    left = issues - times_fresh * len(fresh) - times_brief * len(brief)
    of_late = ((fresh, times_fresh, _OF_LATE), (brief, times_brief, _OF_LATE))
    return sorted(
        (now - (each.updated_at - each.registered_at) * SLOWED - reach * drawn.random(), n, each)
        for of, times, reach in (*of_late, (over, max(1, -(-left // len(over))), _YEARS))
        for n in range(times)
        for each in of
    )


_PLACES = (
    *("天河", "越秀", "海珠", "荔湾", "白云", "黄埔", "番禺", "花都", "南沙", "增城", "从化"),
    *("福田", "罗湖", "南山", "宝安", "龙岗", "徐汇", "静安", "黄浦", "浦东", "长宁", "虹口"),
    *("杨浦", "闵行", "嘉定", "江岸", "江汉", "武昌", "洪山", "朝阳", "海淀", "东城", "西城"),
    *("丰台", "通州", "沈河", "和平", "锦江", "青羊", "武侯", "成华", "天山", "沙依", "水磨"),
)
_KINDS = (
    *("支行", "分理处", "营业部", "自助银行", "地铁站", "客运站"),
    *("医院", "超市", "加油站", "购物中心", "机场", "大学"),
)
_COMPANIES = (
    *("珠江商业银行", "城市轨道交通集团", "人民医院"),
    *("连锁超市有限公司", "机场管理公司", "农村信用社"),
)
_SURNAMES = "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕"
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平刚桂英华建文辉力红玉兰飞鹏琳晶欣怡浩宇晨佳雨婷"


def a_customer(drawn: random.Random) -> Customer:
    """Make one up."""
    place = drawn.choice(_PLACES)
    return Customer(
        f"{place}{drawn.randrange(1, 400)}号{drawn.choice(_KINDS)}",
        f"{drawn.choice(_PLACES)}{drawn.choice(_COMPANIES)}",
        drawn.choice(_SURNAMES) + drawn.choice(_GIVEN) + drawn.choice(_GIVEN),
        f"+86 1{drawn.randrange(30, 90)} {drawn.randrange(10**4):04d} {drawn.randrange(10**4):04d}",
    )
