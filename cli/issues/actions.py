"""The actions people can take, as they are called in a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from domain.issue.actions import ActionName


class Command(NamedTuple):
    """How an action is called in a terminal."""

    name: str
    action: ActionName
    summary: str
    example: str
    """What follows the number."""
    usual: Mapping[str, Any] = MappingProxyType({})
    """Values of fields that the model demands, for who leaves them out."""
    signals: bool = False
    """It can also be sent without waiting for an answer, as the signal ``complete``."""

    @property
    def help(self) -> str:
        """What ``--help`` says above the options."""
        example = f"yinuo issue {self.name} 20261123-07-0001 {self.example}"
        return f"{self.summary}\n\nExample: {example}"


COMMANDS: tuple[Command, ...] = (
    Command(
        "take",
        ActionName.TAKE,
        "Take an enquiry out of the queue: it is yours to answer or to pass on.",
        "--by 07",
    ),
    Command(
        "answer",
        ActionName.ANSWER,
        "Answer it at the hotline: nobody is sent.",
        '--by 07 --solution "清洁读卡器后重启" --not-test',
    ),
    Command(
        "test",
        ActionName.REPORT_TEST,
        "Report the customer's test: it is solved, or somebody is sent to it.",
        '--by chen.hong --role customer --not-worked --words "重启后仍然吞卡"',
    ),
    Command(
        "calm",
        ActionName.CALM,
        "Write down what was said to calm an agitated complainant.",
        '--by sun.li --spoken "已致歉，客户同意等候核实"',
    ),
    Command(
        "verify",
        ActionName.VERIFY,
        "Tell what looking into the complaint showed.",
        '--by feng.xue --verdict general --findings "工程师迟到一小时，未事先告知"',
    ),
    Command(
        "accept",
        ActionName.ACCEPT,
        "Take it on: the customer hears from us.",
        "--by liang.jiahao",
    ),
    Command(
        "progress",
        ActionName.REPORT_PROGRESS,
        "Tell how far the work is.",
        '--by liang.jiahao --note "备件在途" --expected-at 2026-11-24T10:00+08:00 '
        '--told "备件正在路上"',
    ),
    Command(
        "wait",
        ActionName.WAIT_FOR_CUSTOMER,
        "Wait for the customer: the resolution clock stands still.",
        '--by liang.jiahao --reason "等待网点开门" --ask "请通知我们何时可以进场"',
    ),
    Command(
        "resume",
        ActionName.RESUME,
        "Go on after waiting, or after words of the customer's that were no objection.",
        "--by liang.jiahao",
    ),
    Command(
        "transfer",
        ActionName.TRANSFER,
        "Pass it on to the right department: the clocks run on.",
        '--by liang.jiahao --to software_development --reason "软件缺陷"',
    ),
    Command(
        "reassign",
        ActionName.REASSIGN,
        "Give it to somebody else.",
        '--by zhou.jianguo --to deng.wei --reason "换夜班"',
    ),
    Command(
        "consult",
        ActionName.CONSULT,
        "Ask an expert panel, or write down its advice.",
        '--by liang.jiahao --question "主板是否需要更换？" --experts deng.wei --experts gao.yuan',
    ),
    Command(
        "survey",
        ActionName.SURVEY,
        "Write down what the survey of the site showed.",
        '--by liang.jiahao --findings "需新增两路电源"',
    ),
    Command(
        "quote",
        ActionName.QUOTE,
        "Send the customer a quotation; a new one replaces the last.",
        '--by liang.jiahao --work "移机并重新布线" --amount 12800.00',
    ),
    Command(
        "confirm",
        ActionName.CONFIRM,
        "Record the customer's yes or no to the quotation.",
        '--by chen.hong --role customer --agreed --words "同意"',
    ),
    Command(
        "approve",
        ActionName.APPROVE,
        "Approve the price, or say why not.",
        '--by sun.li --not-approved --reason "超出年度预算"',
    ),
    Command(
        "propose-remedy",
        ActionName.PROPOSE_REMEDY,
        "Propose a remedy for a complainant: money, an exchange, a free service, an apology.",
        '--by liang.jiahao --remedy money --amount 300 --what "退还上门费" --reason "两次失约"',
    ),
    Command(
        "decide-remedy",
        ActionName.DECIDE_REMEDY,
        "Say yes or no to the remedy that is proposed; with a yes the customer is told.",
        "--by sun.li --approved",
    ),
    Command(
        "record-remedy",
        ActionName.RECORD_REMEDY,
        "Write down that a remedy was given, or that the customer does not want it.",
        '--by liang.jiahao --accepted --receipt "收据 0017，客户已签收"',
    ),
    Command(
        "resolve",
        ActionName.RESOLVE,
        "Return the result; the customer gets it as the reply.",
        '--by liang.jiahao --result "card reader replaced"',
        signals=True,
    ),
    Command(
        "contact",
        ActionName.CONTACT_CUSTOMER,
        "Record the agent's call to the customer: with the result, or because it is late.",
        '--by 07 --told "读卡器已更换，运行正常" --words "好的，谢谢"',
        usual={"reached": True},
    ),
    Command(
        "chase",
        ActionName.CHASE,
        "Ask the handler how far it is.",
        '--by 07 --asks "客户在等，请告知预计时间"',
    ),
    Command(
        "callback",
        ActionName.RECORD_CALLBACK,
        "Record a call to the customer: it closes the issue, or opens it again.",
        "--by fan.meiling --running --satisfied",
        usual={"reached": True},
    ),
    Command(
        "evaluate",
        ActionName.EVALUATE,
        "Score the service, as the customer does.",
        "--by chen.hong --role customer"
        ' --item after_sales --technical 120 --attitude 95 --comment "修得快"',
    ),
    Command(
        "rate",
        ActionName.RATE_DIFFICULTY,
        "Rate how difficult the repair was.",
        "--by sun.li --difficulty 4",
    ),
    Command(
        "wrote",
        ActionName.CUSTOMER_WROTE,
        "Write down what the customer says about it: who has it is told, and it goes on.",
        '--by 07 --words "钥匙已交给保安，可以来了" --means done',
    ),
    Command(
        "escalate",
        ActionName.ESCALATE,
        "Take it one level up.",
        '--by liang.jiahao --reason "明早网点开业"',
    ),
    Command(
        "withdraw",
        ActionName.WITHDRAW,
        "Close it: the customer does not want it any more.",
        '--by web --role intake --reason "works again"',
    ),
    Command(
        "note",
        ActionName.ADD_NOTE,
        "Write into it: for colleagues, or for the customer.",
        '--by 07 --words "备件明天上午到，请留人" --for-customer',
    ),
    Command(
        "amend",
        ActionName.AMEND,
        "Correct what is kept of the customer or the machine.",
        '--by 07 --phone "020-55500101 转 801" --remove email --reason "来电更正"',
    ),
    Command(
        "link",
        ActionName.LINK,
        "Say that another issue is about the same.",
        '--by 07 --to 20261123-07-0002 --reason "同一台机器"',
    ),
    Command(
        "merge",
        ActionName.MERGE,
        "Let another issue speak for it: it ends, and its customer is told with the other.",
        '--by 07 --into 20261123-07-0002 --reason "同一故障，两次来电"',
    ),
)
"""The actions people take on an issue, in the order of its life."""
