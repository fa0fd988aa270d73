"""What customers and staff say in a demonstration."""

from collections.abc import Mapping

from demo.play.script import Call, Test
from domain.vocabulary import Verdict

ANSWERS: Mapping[str, str] = {
    "consultation": "请在设置菜单中选择“系统”，再按屏幕提示操作；图文步骤已发送。",
    "fault": "请断电一分钟后重新上电，并按步骤清洁传感器，故障提示即可消除。",
    "suggestion": "您的建议已经登记并转交产品部，下一版本将会采用。",
    "sales": "产品资料和参考价格已发送，我们的销售人员会与您约时间详谈。",
}
RESULTS: Mapping[str, str] = {
    "consultation": "已电话说明操作方法，并发送图文指南。",
    "fault": "已更换故障部件，连续测试一小时正常。",
    "complaint": "已当面致歉并说明原因，补偿办法经客户同意。",
    "suggestion": "建议已采纳，列入下一版本计划。",
    "sales": "已发送报价单和产品资料，并约定面谈时间。",
    "paid_service": "已按报价完成施工，请验收。",
}
OUT_OF_SCOPE = (
    "此事属于银行与客户之间的存款纠纷，不在我公司受理范围；请与开户行联系，我们可配合提供设备记录。"
)
WITHDRAWN = "客户来电：已自行恢复，不再需要。"
PASSED_ON = "需要业务部门解答，转请处理。"
AGREED = "可以，请转给他们。"
PRESSED = "客户在等消息，请告知进展和预计完成时间。"
APOLOGISED = "向您致歉：处理还在进行，今天内给您结果。"
HEARD = "知道了，请尽快。"
EXPLAINED = "已把处理结果向您说明，有疑问请随时来电。"
UNDERSTOOD = "清楚了，谢谢。"
CALMED = "先听客户讲完，致歉并记下号码，说明由谁负责、什么时候回话；客户已平静。"
TRANSFERRED = "经检查硬件正常，属软件缺陷。"
WAITING = "等待客户安排现场时间。"
ASKED = "请告诉我们，工程师什么时候可以进场。"
PROGRESS = "备件已在途。"
TOLD = "需要的备件已经在路上。"
QUESTION = "同型号是否出现过同样的故障？怎样判断是主板还是电源？"
ADVICE = "先换电源模块并升级固件；如仍重启，再换主板。"
FINDINGS: Mapping[Verdict, str] = {
    Verdict.UNFOUNDED: "经核实，工程师在约定时间内到场，有门禁记录和签字为证。",
    Verdict.GENERAL: "经核实情况属实，责任在我方，向您致歉。",
    Verdict.MAJOR: "经核实情况属实且影响重大，由部门经理亲自处理。",
}
FINDINGS_OUT_OF_SCOPE = "经核实，设备记录无误，争议在银行与客户之间。"
SURVEYED = "已到现场勘察：线路可走桥架，需新增电源点两处。"
OFFERED = "按勘察方案施工并调试，保修一年。"
AGREED = "同意，请尽快安排。"
DECLINED = "价格超出预算，暂不做了。"
NOT_APPROVED = "该型号已停产，无法保证配件供应。"
DONE_NOW = "办好了：明天上午九点可以进场，找值班主任。"
NOTED = "客户比较着急，上门前请先打电话。"
TOLD_MEANWHILE = "我们已安排工程师并备好配件，现场请先不要断电重启。"
MISHEARD = "登记时号码记错一位，客户来电核对。"
ASKS = "谢谢。还有一点不清楚，方便时请来个电话。"
SEEN_TO = "已电话说明，客户没有其他问题。"
SAME = "同一型号、同一天、同样的现象。"
SAME_MATTER = "同一处故障，一并处理和答复。"
TESTED: Mapping[Test, str] = {
    "worked": "试过了，可以了，谢谢。",
    "failed": "照做了两遍，还是不行。",
}
COMMENTS: Mapping[bool, str] = {True: "响应快，讲得清楚。", False: "来得晚，态度也不好，很不满意。"}
"""By whether the scores are good ones."""
CALLS: Mapping[Call, Mapping[str, object]] = {
    "good": {"reached": True, "running": True, "satisfied": True, "words": "现在正常了，谢谢。"},
    "bad": {"reached": True, "running": False, "satisfied": False, "words": "早上又坏了。"},
    "conflict": {
        "reached": True,
        "running": True,
        "satisfied": False,
        "conflict": True,
        "words": "机器是好了，可是工程师当着客户的面吵架，我要投诉。",
    },
    "not_reached": {"reached": False, "words": ""},
}
