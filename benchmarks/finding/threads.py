"""What is said about an issue, made up: words as common and as rare as in a real desk's threads.
The same seed says the same.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, NamedTuple

from domain.issue.actions import ActionName

PARTS = (
    *("读卡器", "出钞口", "传送皮带", "打印头", "键盘", "触摸屏", "主板", "电源模块", "钞箱"),
    *("验钞模块", "存款口", "网络模块", "摄像头", "门锁", "散热风扇", "传感器", "凭条打印机"),
    *("二维码扫描头", "金属键盘", "指纹仪", "显示屏", "硬盘", "接口板", "保险柜锁", "回收箱"),
    *("走钞通道", "磁头", "加密模块", "指示灯", "扬声器", "内存条", "数据线", "变压器", "继电器"),
)
FAULTS = (
    *("卡钞", "吞卡", "黑屏", "死机", "不通电", "读不出卡", "打印不清", "反应慢", "报警"),
    *("自动重启", "异响", "漏油", "断线", "松动", "老化", "烧毁", "进水", "变形", "失灵"),
    *("无法联网", "时钟不准", "数钞不准", "过热", "花屏", "卡纸", "断裂", "接触不良", "锁死"),
)
_CITIES = (
    "广州",
    "深圳",
    "上海",
    "武汉",
    "北京",
    "沈阳",
    "成都",
    "乌鲁木齐",
    "杭州",
    "西安",
    "长沙",
)
_WHEN = ("今早开始", "昨天下午起", "停电之后", "下雨以后", "升级程序之后", "装修以后", "一直以来")
_MORE = (
    *("客户排队很长，请尽快处理", "已经试过重启，没有用", "附近没有别的机器", "上个月也发生过"),
    *("大堂经理在场，可以配合", "请来之前打电话", "钥匙在保安处", "晚上十点以后才能停机"),
)
_DONE = ("测试正常", "连续测试五十次无异常", "客户已签字", "现场观察一小时正常", "恢复营业")
_SAID = (
    *("好了，谢谢", "来得很快，态度也好", "修了两次才好", "还可以，就是等得久", "非常满意"),
    *("希望下次提前通知", "师傅很专业", "用着没问题", "目前正常"),
)


class Event(NamedTuple):
    """One step with words."""

    action: ActionName
    role: str
    content: dict[str, Any]


class Thread(NamedTuple):
    """What is said about one issue."""

    title: str
    description: str
    events: Sequence[Event]


def code(drawn: random.Random) -> str:
    """A fault code: one in fifty thousand."""
    return f"E{drawn.randrange(50_000):05d}"


def a_thread(drawn: random.Random) -> Thread:
    """Make up what is said, of common things mostly: the first ones of each list more often."""
    part, other, fault = _some(PARTS, drawn), _some(PARTS, drawn), _some(FAULTS, drawn)
    again, city = _some(FAULTS, drawn), _some(_CITIES, drawn)
    title = f"{part}{fault}"
    begins = f"{_some(_WHEN, drawn)}，机器的{part}{fault}"
    description = f"{begins}，屏幕显示 {code(drawn)}。{_some(_MORE, drawn)}。"
    hours = drawn.randrange(1, 72)
    return Thread(
        title,
        description,
        (
            _by(
                "engineer",
                ActionName.REPORT_PROGRESS,
                note=f"{part}备件已从{city}发出，约{hours}小时到",
            ),
            _by("engineer", ActionName.WAIT_FOR_CUSTOMER, reason=f"等客户停机，才能拆{other}"),
            _by(
                "agent", ActionName.RESUME, note=f"客户来电说可以停机了，顺便看看{other}是否{again}"
            ),
            _by(
                "engineer",
                ActionName.RESOLVE,
                result=f"更换{part}，清洁{other}，{_some(_DONE, drawn)}",
                cause=f"{part}{_some(FAULTS, drawn)}",
            ),
            _by(
                "clerk",
                ActionName.RECORD_CALLBACK,
                reached=True,
                running=True,
                satisfied=True,
                words=f"{_some(_SAID, drawn)}，{part}{_some(('没再', '偶尔还'), drawn)}{fault}",
            ),
        ),
    )


def _by(role: str, action: ActionName, **said: Any) -> Event:
    return Event(action, role, said)


def _some(of: Sequence[str], drawn: random.Random) -> str:
    """Draw one, the earlier the likelier: how often words come falls like this."""
    return drawn.choices(of, [1 / place for place in range(1, len(of) + 1)])[0]
