"""What forms say, in Chinese and English: what fields are called, what helps, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from domain import telephone, words
from domain.issue.act import ActionName
from domain.vocabulary import HIGHEST_SCORE, LOWEST_SCORE
from web.rendering import Reason

_SCORES: Reason = (f"{words.SCORES[0]}，100 为符合预期", f"{words.SCORES[1]}; 100 is as expected")

LABELS: Mapping[str, Reason] = words.FIELDS
CALLED: Mapping[ActionName, Mapping[str, Reason]] = words.FIELDS_OF
"""What fields are called in the form of one action, where they mean something of their own."""
HINTS: Mapping[str, Reason] = {
    "at": ("不填即现在；早些时候做的，填当时", "now if left out; if it was earlier, say when"),
    "expected_at": ("客户会收到", "the customer is told"),
    "note": ("给同事看，客户看不到", "for colleagues, not for the customer"),
    "reason": ("给同事看，客户看不到", "for colleagues, not for the customer"),
    "Approve.reason": ("不批准时客户会读到", "the customer reads why not"),
    "DecideRemedy.reason": (
        "不同意时填写；给同事看，客户看不到",
        "if it is a no; for colleagues, not for the customer",
    ),
    "what": (
        "同意后客户会读到，请写成对客户说的话",
        "the customer reads it after a yes, in words for them",
    ),
    "receipt": (
        "客户收到时填写，例如收据编号；客户看不到",
        "when the customer has it, such as the number of a receipt; not for the customer",
    ),
    "RecordRemedy.words": (
        "客户不接受时，请照原话记下",
        "if they do not want it, write down what they said",
    ),
    "ProposeRemedy.amount": (
        "赔偿金必填，例如 300.00",
        "needed if it is money, like 300.00",
    ),
    "ask": (
        "客户会收到，请写成对客户说的话；不填则只说需要配合",
        "the customer reads it; if left out, only that we need their help",
    ),
    "told": (
        "客户会收到，请写成对客户说的话；可不填",
        "the customer reads it, in words for them; optional",
    ),
    "ContactCustomer.told": ("电话里是怎么告诉客户的", "as it was said on the telephone"),
    "result": ("客户会读到", "the customer reads it"),
    "findings": ("客户会读到", "the customer reads it"),
    "spoken": ("给同事看，客户看不到", "for colleagues, not for the customer"),
    "sender": ("不是登记的客户本人时填写", "if it is not the customer who was registered"),
    "work": ("客户会读到", "the customer reads it"),
    "solution": ("客户会读到", "the customer reads it"),
    "amount": ("例如 12800.00", "like 12800.00"),
    "experts": ("不选则由组长指定", "if none is chosen, the lead chooses"),
    "advice": ("问题与意见只填一项", "either the question or the advice"),
    "difficulty": ("1 容易，5 很难", "1 easy, 5 very difficult"),
    "into": (
        "本问题就此结束，客户随另一问题的进展得到通知和答复",
        "this issue ends; its customer is told and answered with the other",
    ),
    "for_customer": ("不选则只有同事能看到", "if not chosen, only colleagues read it"),
    "technical": _SCORES,
    "attitude": _SCORES,
}
CODES: Mapping[str, words.Names] = words.CODED
"""What is chosen by name; elsewhere the page says it."""

NO_TIME: Reason = ("请写成 2026-11-23T09:30 的样子", "write it like 2026-11-23T09:30")
NOT_NOW: Reason = (
    "问题的情况已有变化，现在不能这样做：请看最新的情况",
    "The issue has moved on, this cannot be done now: see how it stands",
)
AWAY: Reason = (
    "系统暂时没有回应：内容都还在，请稍后再次提交，不会重复",
    "The desk does not answer just now: nothing is lost, send it again, it is done once",
)
TOO_MUCH: Reason = (
    "此刻操作太多，这次还没有做：内容都还在，请稍后再次提交",
    "Too much is being done at once, and this is not done yet: nothing is lost, send it again",
)
SENT_BEFORE: Reason = (
    "这张表已经提交过，这次填写的内容不同：以前的照旧，这次的还没有记录。要另外记录，请再次提交",
    "This form said something else when it was sent before: to record this as well, send it again",
)
_MISSING: Reason = ("请填写", "is missing: fill it in")
CHOOSE: Reason = ("请选择一项", "choose one")
_CODE: Reason = (
    "代码只用文字、数字和 . _ + -，不含空格",
    "a code of letters, digits and . _ + -, without spaces",
)
SAID: Mapping[str, Reason] = {
    "title": ("一句话", "In one line"),
    "description": ("客户原话", "In the customer's words"),
    "kind": ("类型", "Kind"),
    "category": ("类别", "Category"),
    "severity": ("程度", "Severity"),
    "product_line": ("产品线", "Product line"),
    "model": ("型号", "Model"),
    "serial_number": ("序列号", "Serial number"),
    "site": ("安装地点", "Site"),
    "region": ("地区", "Region"),
    "channel": ("渠道", "Channel"),
    "occurred_at": ("发生时间", "Occurred at"),
    "agitated": ("情绪激动", "Agitated"),
    "complex": ("一人处理不了", "Beyond one engineer"),
    "consent": ("客户是否同意转交", "Agreed to passing on"),
    "consent_words": ("客户对转交的说法", "What the customer said to it"),
    "agent": ("热线工程师", "Hotline agent"),
    "arises_from": ("起因问题", "Arises from"),
    "customer.name": ("客户", "Customer"),
    "customer.organisation": ("单位", "Organisation"),
    "customer.contact": ("联系人", "Contact person"),
    "customer.phone": ("电话", "Telephone"),
    "customer.email": ("电子邮件", "E-mail"),
    "customer.type": ("客户类型", "Customer type"),
    "customer.existing": ("已是客户", "A customer already"),
    "customer.language": ("通知用语", "Written to in"),
}
"""What the fields of an intake are called, in the order in which they are read out."""
_BY_TYPE: Mapping[str, Reason] = {
    "missing": _MISSING,
    "string_too_short": _MISSING,
    "string_too_long": ("太长了，请缩短", "is too long: shorten it"),
    "enum": CHOOSE,
    "bool_parsing": CHOOSE,
    "decimal_parsing": ("请写成 12800.00 的样子", "write it like 12800.00"),
    "decimal_max_places": ("最多两位小数", "at most two decimals"),
    "int_parsing": ("请填整数", "a whole number"),
}
_BY_SHAPE: Mapping[str, Reason] = {"string_pattern_mismatch": _CODE}
_REFUSED: Mapping[str, str] = {
    "at": "不能比现在晚一天以上，也不能早于上一步",
    "expected_at": "请填将来的时间",
    "to": "人员名册里没有，或现在不能转给它",
    "experts": "人员名册里没有",
    "fault": "请从故障代码表中选择一项",
    "question": "问题与意见请只填一项",
    "consent": "客户不同意就不转交：征得同意后请选“客户同意”；已经转出的，请把客户的意见写成备注",
    "remedy": "请从补偿方式中选择一项",
    "amount": "这种补偿方式需要填写金额",
    "receipt": "请写明怎样兑现，并附凭据",
    "words": "请记下客户原话",
    "told": "已接通的，请写下告诉了客户什么",
    "reached": "没有接通的，不能填写通话内容",
    "running": "已接通的，请选择设备是否运行正常",
    "reason": "不同意的，请写明原因",
}


@dataclass(frozen=True)
class Wording:
    """What a form says of what is wrong with a field."""

    always: Mapping[str, Reason] = field(default_factory=dict)
    """Of fields that can be wrong in one way only, so it is said once."""
    by_type: Mapping[str, Reason] = field(default_factory=lambda: _BY_TYPE)
    """By what pydantic found."""
    by_field: Mapping[str, Reason] = field(default_factory=dict)
    """Of what is left, such as a shape of its own."""
    refused: Mapping[str, str] = field(default_factory=lambda: _REFUSED)
    """What the desk refuses, in Chinese; its own English names what is known."""
    beside: Mapping[str, str] = field(default_factory=dict)
    """At which field it is said of what has no input, or of several together."""

    def of(self, name: str, type_: str, plain: str) -> Reason:
        """Say what pydantic found wrong with a field; ``plain`` is what it says itself."""
        known = (
            self.always.get(name),
            self.by_type.get(type_),
            self.by_field.get(name),
            _BY_SHAPE.get(type_),
        )
        return next((each for each in known if each), self.of_refused(name, plain))

    def of_refused(self, name: str, plain: str) -> Reason:
        """Say what the desk refuses about a field."""
        return self.always.get(name) or (self.refused.get(name, plain), plain)


ACTIONS = Wording(
    by_field={
        "consent": ("请选择客户是否同意转交", "choose what the customer says to it"),
    },
)
_TELEPHONE: Mapping[str, Reason] = {
    "telephone_missing": (
        "这里没有电话号码：请写数字，如 13800000001、020-55500101 转 801、400-810-8888",
        telephone.REASONS["telephone_missing"],
    ),
    "telephone_rounded": (
        "这是表格软件取整后的数，末几位已丢失：请重新填写完整的号码",
        telephone.REASONS["telephone_rounded"],
    ),
    "telephone_length": (
        "位数不对，不是电话号码：请连同区号或国家代码写完整",
        telephone.REASONS["telephone_length"],
    ),
}
INTAKE = Wording(
    by_type={**_BY_TYPE, **_TELEPHONE, "enum": ("请从列表中选择", "choose one of the list")},
    by_field={
        "email": ("这不是电子邮件地址", "is no e-mail address"),
        "customer": (
            "请填写电话或电子邮件：每个问题都要答复",
            "give a phone or an e-mail: every issue gets a reply",
        ),
        "agitated": ("只有投诉可以这样标记", "only a complaint can say so"),
        "consent": ("请选择客户是否同意转交", "choose what the customer says to it"),
        "agent": (
            "您的人员编号不是热线工程师编号（2 至 4 位数字），不能登记问题：请在人员名册中改正",
            "your id is no hotline number of 2 to 4 digits: have the roster corrected",
        ),
    },
    refused={
        "region": "没有服务中心负责这个地区，请从列表中选择",
        "product_line": "人员名册里没有这条产品线，请从列表中选择",
        "reported_at": "不能比现在晚一天以上，也不能早于一年前",
        "occurred_at": "不能晚于客户报告的时间",
    },
    beside={"customer": "phone"},
)
CORRECTIONS = Wording(
    by_type={
        **_BY_TYPE,
        **_TELEPHONE,
        "telephone_more": (
            "只写一个号码：以它为准；其余的写在下面",
            "write the one number that holds, and the rest below",
        ),
    },
    by_field={"email": ("这不是电子邮件地址", "is no e-mail address")},
    refused={
        "name": "资料已是这样，没有要更正的内容",
        "phone": "请保留一个电话或电子邮件：每个问题都要答复",
        "at": _REFUSED["at"],
    },
)
_PLEASE_CHOOSE: Reason = ("请选择一项。", "Choose one.")
_SCORE: Reason = (
    f"请填 {LOWEST_SCORE} 到 {HIGHEST_SCORE} 之间的整数；100 表示符合预期。",
    f"A whole number from {LOWEST_SCORE} to {HIGHEST_SCORE}; 100 is as expected.",
)
_ADVICE: Reason = (
    "请写下您的意见；最多一万字。",
    "Write down your advice; 10,000 characters at most.",
)
_SHORTER: Reason = ("太长了：最多一万字。", "Too long: 10,000 characters at most.")
LINKS = Wording(
    always={
        "expected_at": (
            "请填将来的时间，例如 2026-11-23T18:00；也可以不填。",
            "A time ahead, such as 2026-11-23T18:00, or nothing.",
        ),
        "result": (
            "请写明做了什么，客户会读到；最多一万字。",
            "Say what was done, in words the customer can read; 10,000 characters at most.",
        ),
        "cause": _SHORTER,
        "words": _SHORTER,
        "known_solution": _PLEASE_CHOOSE,
        "fault": ("请从故障代码表中选择一项。", "Choose a code of the list."),
        "worked": _PLEASE_CHOOSE,
        "agreed": _PLEASE_CHOOSE,
        "item": _PLEASE_CHOOSE,
        "technical": _SCORE,
        "attitude": _SCORE,
        "comment": (
            "请写一句理由；最多一万字。",
            "Write a word about why; 10,000 characters at most.",
        ),
        "approved": _PLEASE_CHOOSE,
        "reason": (
            "驳回请写明原因，客户会读到；最多一万字。",
            "Say why it is rejected, the customer reads it; 10,000 characters at most.",
        ),
        "difficulty": ("请选 1 到 5：1 容易，5 很难。", "Choose 1 to 5: 1 is easy, 5 very hard."),
        "note": _SHORTER,
        "advice": _ADVICE,
    },
    by_field={"question": _ADVICE},
    beside={"question": "advice"},
)
OF_REMEDIES = replace(
    LINKS,
    always={
        **LINKS.always,
        "reason": (
            "不同意请写明理由，同事会读到；最多一万字。",
            "Say why not, colleagues read it; 10,000 characters at most.",
        ),
    },
)
"""Of the link by which a remedy is decided on: its reason stays between colleagues."""
