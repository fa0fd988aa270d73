"""What the interface's own description shows: a body for everything that can be sent, and what
comes back. Names and numbers are made up; no dates are sent, which would soon be too old.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.issue.actions import ActionName

INTAKE: Mapping[str, Any] = {
    "source": "web",
    "reference": "W-20261123-0042",
    "channel": "website",
    "kind": "fault",
    "category": "technical",
    "severity": "general",
    "product_line": "ATM",
    "region": "上海",
    "agent": "07",
    "customer": {
        "name": "张伟",
        "organisation": "浦江商业银行",
        "phone": "+86 138 0000 1234",
        "email": "zhang.wei@customer.example",
    },
    "title": "读卡器吞卡 The card reader swallows cards",
    "description": "今天早上开始,每两张卡吞一张。",
    "model": "ST-100",
}
EVALUATION: Mapping[str, Any] = {
    "way": "paper",
    "unit": "浦江商业银行",
    "month": "2026-11",
    "project": "网点改造",
    "place": "上海市",
    "assessor": "张伟",
    "scores": [{"item": "project", "technical": 120, "attitude": 150}],
    "opinions": "进度正常。",
}
CALLS: Mapping[str, Any] = {
    "calls": [
        {
            "id": "1764000000.4711",
            "at": "2026-11-23T01:00:00Z",
            "direction": "incoming",
            "number": "13800001234",
            "ring_seconds": 6,
            "talk_seconds": 214,
            "agent": "07",
            "recording": "https://recordings.example/2026/11/23/4711",
        },
        {"id": "1764000300.4712", "at": "2026-11-23T01:05:00Z", "ring_seconds": 31},
    ]
}
SAID: Mapping[ActionName, Mapping[str, Any]] = {
    ActionName.TAKE: {},
    ActionName.ANSWER: {"solution": "按住复位键十秒。", "case": "C-0001"},
    ActionName.REPORT_TEST: {"worked": True, "words": "好了,谢谢"},
    ActionName.VERIFY: {"verdict": "general", "findings": "约定的时间没有人到场。"},
    ActionName.ACCEPT: {},
    ActionName.REPORT_PROGRESS: {"note": "备件已发出,预计明天到。", "told": "备件已经发出。"},
    ActionName.WAIT_FOR_CUSTOMER: {"reason": "等客户开放机房。", "ask": "请您打开机房。"},
    ActionName.RESUME: {"note": "机房已开放。"},
    ActionName.TRANSFER: {"to": "software_development", "reason": "固件缺陷。"},
    ActionName.REASSIGN: {"to": "liang.jiahao", "reason": "离现场最近。"},
    ActionName.CALM: {"spoken": "已致歉,客户同意等候核实。"},
    ActionName.CONSULT: {"question": "为什么只在潮湿的天气出错?", "experts": ["liang.jiahao"]},
    ActionName.SURVEY: {"findings": "需要打开金库门,两人半天。"},
    ActionName.QUOTE: {"work": "移机并重新校准。", "amount": "12800.00"},
    ActionName.CONFIRM: {"agreed": True, "words": "同意"},
    ActionName.APPROVE: {"approved": True},
    ActionName.PROPOSE_REMEDY: {
        "remedy": "money",
        "what": "退还两次上门费。",
        "amount": "300.00",
        "reason": "两次未按约上门。",
    },
    ActionName.DECIDE_REMEDY: {"approved": True},
    ActionName.RECORD_REMEDY: {"accepted": True, "receipt": "收据 0017,客户已签收"},
    ActionName.RESOLVE: {"result": "已更换读卡器,试运行正常。", "cause": "磨损"},
    ActionName.CONTACT_CUSTOMER: {
        "reached": True,
        "told": "读卡器已更换,试运行正常。",
        "words": "好的,谢谢",
    },
    ActionName.CHASE: {"asks": "客户在等,请告知预计完成时间。"},
    ActionName.RECORD_CALLBACK: {
        "reached": True,
        "running": True,
        "satisfied": True,
        "words": "运行正常,服务很好",
    },
    ActionName.EVALUATE: {
        "item": "after_sales",
        "technical": 100,
        "attitude": 120,
        "comment": "及时",
        "person": "zhang.wei",
    },
    ActionName.RATE_DIFFICULTY: {"difficulty": 3, "note": "备件少见"},
    ActionName.ESCALATE: {"reason": "网点明天开业。"},
    ActionName.WITHDRAW: {"reason": "客户说已恢复。"},
    ActionName.ADD_NOTE: {"words": "备件明天上午到，请客户留人。", "for_customer": True},
    ActionName.LINK: {"to": "20261123-07-0002", "reason": "同一台机器"},
    ActionName.MERGE: {"into": "20261123-07-0002", "reason": "同一台机器，同一故障"},
    ActionName.AMEND: {"phone": "020-55500101 转 801", "remove": ["email"], "reason": "来电更正"},
    ActionName.CUSTOMER_WROTE: {
        "words": "钥匙已放在保安处,可以来了。",
        "means": "done",
        "sender": "zhang.wei@customer.example",
    },
}
RESULT = SAID[ActionName.RESOLVE]
WORDS: Mapping[str, Any] = {"subject": "另一台也吞卡", "body": "二楼的那台刚才也开始吞卡。"}
ISSUE: Mapping[str, Any] = {
    "id": "issue:web:W-20261123-0042",
    "number": "20261123-07-0001",
    "source": "web",
    "reference": "W-20261123-0042",
    "stage": "assigned",
    "outcome": None,
    "kind": "fault",
    "behaves": None,
    "category": "technical",
    "severity": "general",
    "title": "读卡器吞卡 The card reader swallows cards",
    "product_line": "ATM",
    "region": "上海",
    "queue": None,
    "taken_by": None,
    "consent": None,
    "department": "engineering",
    "centre": "shanghai",
    "zone": "Asia/Shanghai",
    "engineer": {"id": "liang.jiahao", "name": "梁家豪"},
    "lead": {"id": "zhou.jianguo", "name": "周建国"},
    "escalation_level": 0,
    "reopen_count": 0,
    "sla_state": "on_time",
    "reported_at": "2026-11-23T01:00:00Z",
    "registered_at": "2026-11-23T01:00:02Z",
    "next_due_at": "2026-11-23T03:00:00Z",
    "answered": False,
    "first_contact": False,
    "arises_from": None,
    "complaints": [],
    "merged_into": None,
    "merged": [],
    "promises": [
        {
            "key": "response.1",
            "kind": "response",
            "generation": 1,
            "attempt": 1,
            "target": "2 hours",
            "made_at": "2026-11-23T01:00:00Z",
            "opens_at": None,
            "due_at": "2026-11-23T03:00:00Z",
            "provisional": False,
            "paused": False,
            "consumed": None,
            "end": "open",
            "ended_at": None,
        }
    ],
    "steps": [
        {
            "action": "registered",
            "by": "07",
            "at": "2026-11-23T01:00:00Z",
            "note": "",
        }
    ],
    "results": [],
    "can": ["accept", "transfer", "reassign", "escalate", "withdraw"],
}
EVENT: Mapping[str, Any] = {
    "id": "evt_5b1f0c6de2a94c7d8f3a6e1b9c0d2f47",
    "type": "issue.accepted",
    "timestamp": "2026-11-23T01:20:04Z",
    "data": {
        "number": "20261123-07-0001",
        "id": "issue:web:W-20261123-0042",
        "seq": 2,
        "source": "web",
        "reference": "W-20261123-0042",
        "kind": "fault",
        "severity": "general",
        "department": "technical_service",
        "action": "accept",
        "role": "engineer",
        "happened_at": "2026-11-23T01:20:04Z",
        "stage_before": "assigned",
        "stage": "in_progress",
        "outcome": None,
        "reopen_count": 0,
        "promises": [
            {
                "kind": "response",
                "generation": 1,
                "attempt": 1,
                "due_at": "2026-11-23T03:00:00Z",
                "provisional": False,
                "paused": False,
                "end": "kept",
                "ended_at": "2026-11-23T01:20:04Z",
            }
        ],
        "thread": "/issues/20261123-07-0001/thread",
    },
}
PENDING: Mapping[str, Any] = {
    "id": "issue:web:W-20261123-0042",
    "source": "web",
    "reference": "W-20261123-0042",
    "number": None,
    "detail": "accepted, the number follows: ask for the id, or send the same again",
}
CUSTOMER: Mapping[str, Any] = {
    "name": "张伟",
    "type": "enterprise",
    "existing": True,
    "organisation": "浦江商业银行",
    "contact": None,
    "phone": "+8613800001234",
    "email": "zhang.wei@customer.example",
}
KEPT: Mapping[str, Any] = {
    "key": "letter:issue:mail:4711@customer.example",
    "issue_id": "issue:web:W-20261123-0042",
    "at": "2026-11-23T01:20:00Z",
    "door": "mailbox",
    "sender": "zhang.wei@customer.example",
    "subject": "Re: 出钞口卡钞",
    "body": "现在第二台也卡了。",
    "why": "same_id",
}
FOUND: Mapping[str, Any] = {
    "case": {
        "number": "C-0001",
        "title": "取款时钞票卡住",
        "question": "取款的时候钞票卡住了怎么办",
        "solution": "打开后盖,取出卡钞,按复位键。",
        "product_line": "ATM",
        "keywords": ["卡钞"],
        "issue_id": None,
        "generation": None,
        "proposed_by": "liang.jiahao",
        "proposed_at": "2026-10-12T02:00:00Z",
        "issue_number": None,
        "revision": 2,
        "status": "approved",
        "reviewed_by": "zhou.jianguo",
        "reviewed_at": "2026-10-13T02:00:00Z",
        "change": "approve",
        "changed_by": "zhou.jianguo",
        "changed_at": "2026-10-13T02:00:00Z",
        "note": "",
        "used": 4,
        "last_used_at": "2026-11-20T06:30:00Z",
    },
    "matched": ["钞票", "卡住"],
    "asked": 3,
    "rank": 0.8,
}
ENTRY: Mapping[str, Any] = {
    "at": "2026-11-23T01:05:00Z",
    "person": "liang.jiahao",
    "role": "engineer",
    "via": "token 4f2a91c0",
    "address": "192.0.2.7",
    "what": "accept",
    "number": "20261123-07-0001",
    "outcome": "done",
}
ATTACHMENT: Mapping[str, Any] = {
    "id": "6f1c2a90d1e7b6854f3c2a90d1e7b685",
    "issue_id": "issue:web:W-20261123-0042",
    "at": "2026-11-23T01:20:00Z",
    "actor": "web",
    "role": "intake",
    "door": "api",
    "name": "吞卡.jpg",
    "kind": "image/jpeg",
    "size": 482113,
    "digest": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "shown_to": "customer",
    "standing": "served",
}
_NOT_SAID: Mapping[str, Any] = {
    "seq": None,
    "action": None,
    "said_at": None,
    "door": None,
    "stage": None,
    "to": None,
    "sent": None,
    "withheld": False,
}
SAID_BY_CUSTOMER: Mapping[str, Any] = {
    **_NOT_SAID,
    "id": "act:20261123-07-0001:6",
    "number": "20261123-07-0001",
    "sort": "act",
    "seq": 6,
    "action": "report_test",
    "at": "2026-11-24T02:05:00Z",
    "recorded_at": "2026-11-24T02:05:00Z",
    "who": {"id": "customer", "role": "customer", "name": None},
    "door": "link",
    "stage": "reopened",
    "said": [
        {
            "field": "worked",
            "holds": "yes_no",
            "value": False,
            "name": None,
            "visibility": "customer",
            "confidential": False,
        },
        {
            "field": "words",
            "holds": "text",
            "value": "换了读卡器还是吞卡",
            "name": None,
            "visibility": "customer",
            "confidential": True,
        },
    ],
    "visibility": "customer",
}
SENT: Mapping[str, Any] = {
    **_NOT_SAID,
    "id": "message:20261123-07-0001:6:reopened:customer",
    "number": "20261123-07-0001",
    "sort": "message",
    "seq": 6,
    "at": "2026-11-24T02:05:00Z",
    "recorded_at": "2026-11-24T02:05:00Z",
    "who": {"id": "desk", "role": "system", "name": None},
    "to": {"id": "customer", "role": "customer", "name": None},
    "sent": {
        "template": "reopened",
        "audience": "customer",
        "channel": "sms",
        "status": "delivered",
        "settled_at": "2026-11-24T02:05:01Z",
        "handed_to": None,
    },
    "said": [
        {
            "field": "body",
            "holds": "text",
            "value": "很抱歉，问题还没有解决，我们马上重新安排。",
            "name": None,
            "visibility": "customer",
            "confidential": True,
        }
    ],
    "visibility": "customer",
}
RECEIVER: Mapping[str, Any] = {
    "url": "https://crm.example/yinuo",
    "types": ["issue.resolved", "issue.closed"],
    "source": "web",
    "department": None,
    "label": "CRM",
}
_ENDPOINT: Mapping[str, Any] = {
    **RECEIVER,
    "id": "3f9a01c2",
    "state": "on",
    "why": None,
    "created_at": "2026-11-23T01:00:00Z",
    "failures": 0,
    "rests_until": None,
    "tried_at": "2026-11-23T01:20:05Z",
    "taken_at": "2026-11-23T01:20:05Z",
    "last_error": None,
    "former_until": None,
}
_SECRET = "whsec_bm90IGEgc2VjcmV0OiBhbiBleGFtcGxlIG9mIG9uZS4="  # noqa: S105  it says that it is none
REPORT = {
    "name": {"zh": "服务效能报告", "en": "Service effectiveness"},
    "period": {
        "zh": "2026 年第 47 周（11 月 16 日至 11 月 22 日）",
        "en": "week 47 of 2026 (16 Nov to 22 Nov)",
    },
    "figures": [
        {
            "figure": "promises_kept",
            "name": {"zh": "时限兑现率", "en": "Promises kept"},
            "rule": {
                "zh": "期内了结的本台时限中按时完成的比例。",
                "en": "Of the desk's promises that ended in the period, those kept.",
            },
            "holds": "share",
        }
    ],
    "edition": 1,
    "issued_at": "2026-11-23T00:30:00Z",
    "counted": {
        "report": "effectiveness",
        "period": "2026-W47",
        "zone": "Asia/Shanghai",
        "rulebook": "5f2c" + 60 * "0",
        "counted_at": "2026-11-23T01:00:00Z",
        "over": True,
        "data_since": "2026-01-04T01:00:00Z",
        "department": None,
        "department_name": None,
        "aims": {},
        "sections": [
            {
                "key": "kinds",
                "rows": [
                    {
                        "of": "fault",
                        "zh": "故障报修",
                        "en": "fault",
                        "values": {"promises_kept": {"value": 0.9375, "n": 15, "of": 16}},
                    },
                    {
                        "of": None,
                        "zh": "合计",
                        "en": "All",
                        "values": {"promises_kept": {"value": 0.9375, "n": 15, "of": 16}},
                    },
                ],
                "more_rows": 0,
                "words": [],
                "more_words": 0,
            }
        ],
    },
}
SHOWN: Mapping[str, Any] = {
    "IssueView": ISSUE,
    "Letters": {
        "items": [{"id": "4f3c2a90d1e7b685", "received_at": "2026-11-23T01:00:03Z", "size": 48211}]
    },
    "Issues": {
        "items": [ISSUE],
        "next": "eyJuZXh0X2R1ZV9hdCI6bnVsbH0",
        "as_of": "eyJ0dXJuIjo0Mjk0OTY3OTg3fQ",
    },
    "Vocabulary": {
        "kinds": [{"code": "fault", "name": {"zh": "故障报修", "en": "fault"}, "behaves": "fault"}],
        "categories": [
            {
                "code": "technical",
                "name": {"zh": "技术质量", "en": "technical quality"},
                "department": "technical_service",
                "outside": False,
            }
        ],
        "departments": [
            {"code": "technical_service", "name": {"zh": "技术服务部", "en": "technical service"}}
        ],
    },
    "KnownReports": {
        "items": [
            {
                "report": "effectiveness",
                "name": {"zh": "服务效能报告", "en": "Service effectiveness"},
                "cadences": ["week", "month", "quarter", "year"],
                "reach": "all",
                "newest": "2026-W47",
            }
        ]
    },
    "CountedReport": REPORT,
    "Behind": {
        "facts": 16,
        "without_issue": 0,
        "issues": [
            {
                "number": "20261118-07-0001",
                "facts": 1,
                "title": "自助缴费机不出凭条",
                "kind": "fault",
                "stage": "callback",
            }
        ],
        "next": None,
    },
    "Events": {"items": [EVENT], "next": "eyJ0dXJuIjo0Mjk0OTY3OTg3fQ", "more": False},
    "Pending": PENDING,
    "Customer": CUSTOMER,
    "KeptWords": {"items": [KEPT]},
    "ThreadPage": {
        "items": [SAID_BY_CUSTOMER, SENT],
        "next": None,
        "open_words": [SAID_BY_CUSTOMER],
    },
    "Cases": {"items": [FOUND]},
    "Entries": {"items": [ENTRY]},
    "Heartbeat": {"at": "2026-11-23T00:00:00Z", "findings": {}},
    "Added": {"number": "20261123-07-0001", "new": True},
    "Attachment": ATTACHMENT,
    "Attachments": {"items": [ATTACHMENT]},
    "Receivers": {"items": [{"endpoint": _ENDPOINT, "waiting": 2, "since": None}]},
    "AddedReceiver": {**_ENDPOINT, "tried_at": None, "taken_at": None, "secret": _SECRET},
    "Rotated": {"secret": _SECRET, "former_until": "2026-11-24T01:00:00Z"},
    "Remarks": {
        "items": [
            {
                "key": "callback/issue:web:W-20261123-0042/1/1",
                "sort": "callback",
                "at": "2026-11-24T02:00:00Z",
                "text": "修了三次，太差了。",
                "number": "20261123-07-0001",
                "unit": "浦江商业银行",
                "said_by": "customer",
                "department": "technical_service",
                "engineer": "liang.jiahao",
                "worst": None,
                "satisfied": False,
                "read_by": None,
                "reader": None,
                "read_at": None,
                "complaint": None,
            }
        ],
        "strong": ["太差", "terrible"],
    },
    "BecameComplaint": {"number": "20261124-07-0003"},
    "Told": {"new": 2, "known": 0},
    "Tried": {"taken": True, "status": 204, "said": ""},
}
"""What comes back, by the name of its model."""
