"""The regulation's registers and forms as they are handed out: every column, once, as data."""

from __future__ import annotations

from domain import words
from domain.sla.promise import PromiseEnd
from domain.terms import Term
from domain.vocabulary import Behaviour
from store.exports.columns import (
    OF_ISSUE,
    Column,
    Holds,
    Register,
    at,
    code,
    customers,
    number,
    own,
    person,
    yes_no,
)
from store.hand_overs import hand_over

# What the forms show of their issue ---------------------------------------------------------------

_NUMBER = Column("number", "问题编号", "Issue number", sql="i.number")
_ABOUT = (
    own("kind", "问题类别", "Kind", Term.KIND, "i.kind"),
    code("severity", "紧急程度", "Severity", words.SEVERITIES, "i.severity"),
    Column("product_line", "产品线", "Product line", sql="i.product_line"),
    Column("region", "地区", "Region", sql="i.region"),
    Column("title", "问题摘要", "Title", sql="i.title"),
)
_CUSTOMER = (
    customers("customer_name", "客户名称", "Customer", "i.customer_name"),
    customers("organisation", "客户单位", "Organisation", "i.organisation"),
)
_CONTACT = (
    customers("contact_person", "联系人", "Contact person", "i.contact_person"),
    customers("phone", "联系电话", "Phone", "i.phone"),
)
_MACHINE = (
    Column("model", "产品型号", "Model", sql="i.model"),
    Column("serial_number", "序列号", "Serial number", sql="i.serial_number"),
)
_FAULT = (
    Column("fault", "故障代码", "Fault code"),
    Column("fault_name", "故障名称", "Fault"),
)
_GENERATION = number("generation", "处理次数", "Generation")
_THE_ISSUE = {"issue_id": "the workflow's; the issue number says it"}

_CONSENT = "coalesce(f.consent_since, f.consent)"
_SAID_TO_IT = """
    CASE WHEN f.consent_since IS NULL THEN nullif(f.consent_words, '') ELSE (
        SELECT e.content->>'consent_words' FROM issue_events e
        WHERE e.issue_id = f.id AND e.action IN ('reassign', 'transfer') AND e.content ? 'consent'
        ORDER BY e.seq DESC LIMIT 1
    ) END"""
"""R35: what the customer said last to it being passed on."""

# The registers ------------------------------------------------------------------------------------

ISSUES = Register(
    "issues",
    "用户问题受理登记表",
    "Issue register",
    table="issues",
    date="f.registered_at",
    order="f.registered_at, f.number",
    join="",
    columns=(
        Column("number", "问题编号", "Issue number"),
        at("registered_at", "登记时间", "Registered"),
        at("reported_at", "报告时间", "Reported"),
        at("occurred_at", "发生时间", "Occurred"),
        code("channel", "受理渠道", "Channel", words.CHANNELS),
        Column("source", "来源系统", "Source"),
        Column("reference", "来源单号", "Reference"),
        person("agent", "受理人", "Agent"),
        Column("queue", "待认领队列", "Queue"),
        person("taken_by", "认领人", "Taken by"),
        number("ring_seconds", "振铃秒数", "Rang, seconds"),
        own("kind", "问题类别", "Kind", Term.KIND),
        own("category", "问题性质", "Category", Term.CATEGORY),
        code("severity", "紧急程度", "Severity", words.SEVERITIES),
        yes_no("complex", "复杂问题", "Complex"),
        yes_no("agitated", "情绪激动", "Agitated"),
        code("consent", "同意转交", "Agreed to passing on", words.CONSENTS, _CONSENT),
        customers("consent_words", "对转交的说法", "Said to passing on", _SAID_TO_IT),
        customers("customer_name", "客户名称", "Customer"),
        code("customer_type", "客户类型", "Customer type", words.CUSTOMERS),
        yes_no("customer_existing", "老客户", "Existing customer"),
        customers("organisation", "客户单位", "Organisation"),
        customers("contact_person", "联系人", "Contact person"),
        customers("phone", "联系电话", "Phone"),
        customers("email", "电子邮箱", "E-mail"),
        Column("region", "地区", "Region"),
        customers("site", "安装地点", "Site"),
        Column("product_line", "产品线", "Product line"),
        Column("model", "产品型号", "Model"),
        Column("serial_number", "序列号", "Serial number"),
        Column("title", "问题摘要", "Title"),
        customers("description", "问题描述", "Description"),
        own("department", "责任部门", "Department", Term.DEPARTMENT),
        Column(
            "centre",
            "维修中心",
            "Service centre",
            sql="concat_ws(' ', (SELECT c.name FROM centres c WHERE c.id = f.centre), f.centre)",
        ),
        Column("engineer", "处理人", "Handler", sql="concat_ws(' ', f.engineer_name, f.engineer)"),
        Column("lead", "组长", "Lead", sql="concat_ws(' ', f.lead_name, f.lead)"),
        code("stage", "状态", "Stage", words.STAGES),
        code("outcome", "结果", "Outcome", words.OUTCOMES),
        yes_no("first_contact", "首次解决", "First-contact resolution"),
        yes_no("answered", "已答复客户", "Customer answered"),
        number("escalation_level", "升级级别", "Escalation level"),
        _GENERATION,
        Column(
            "arises_from",
            "源自问题",
            "Arises from",
            sql="(SELECT o.number FROM issues o WHERE o.id = f.arises_from)",
        ),
        Column(
            "merged_into",
            "并入问题",
            "Merged into",
            sql="(SELECT o.number FROM issues o WHERE o.id = f.merged_into)",
        ),
        Column(  # by the workflow's id, which source and reference say to a reader
            "raised",
            "引发投诉",
            "Complaints raised",
            sql="(SELECT string_agg(o.number, '; ' ORDER BY o.number) FROM issues o"
            " WHERE o.arises_from = f.id)",
        ),
        at("updated_at", "更新时间", "Last step"),
        at("closed_at", "关闭时间", "Closed"),
    ),
    left_out={
        "run": "the workflow's",
        "worded": "of the search, which words of the issue it has",
        "redirected": "of the links; what was corrected stands in the events",
        "language": "of the messages, which are none of the forms",
        "seq": "the workflow's",
        "behaves": "what was said of its kind when it came in, if not what always held",
        "outside": "what was said of its category when it came in, if not what always held",
        "zone": "the service centre's; instants are written in the desk's",
        "calendar": "each promise of the ledger names its own",
        "rulebook": "each promise of the ledger names its own",
    },
)

_HANDED_OVER = " ".join(
    f"LEFT JOIN LATERAL ({hand_over('f.issue_id', 'f.generation', order)}) {name} ON true"
    for name, order in (("first_time", "ASC"), ("last_time", "DESC"))
)
"""R10, R39: by whom, of the steps that gave it to somebody."""

HANDLING = Register(
    "handling",
    "客户问题处理表",
    "Handling forms",
    table="handling_forms",
    date="f.handed_over_at",
    order="f.handed_over_at, i.number, f.generation",
    join=f"{OF_ISSUE} {_HANDED_OVER}",
    history=True,
    columns=(
        _NUMBER,
        _GENERATION,
        *_ABOUT,
        *_MACHINE,
        *_CUSTOMER,
        *_CONTACT,
        customers("site", "安装地点", "Site", "i.site"),
        customers("description", "问题描述", "Description", "i.description"),
        own("department", "责任部门", "Department", Term.DEPARTMENT),
        person("engineer", "处理人", "Handler"),
        person("handed_over_by", "转交人", "Handed over by", sql="first_time.by"),
        at("handed_over_at", "转交时间", "Handed over"),
        person("passed_on_by", "最近转交人", "Passed on last by", sql="last_time.by"),
        at("passed_on_at", "最近转交时间", "Passed on last", "last_time.at"),
        at("accepted_at", "受理时间", "Accepted"),
        at("expected_at", "预计完成时间", "Expected"),
        at("resolved_at", "解决时间", "Resolved"),
        Column("result", "处理结果", "Result"),
        Column("cause", "问题原因", "Cause"),
        *_FAULT,
    ),
    left_out=_THE_ISSUE,
)

CONSULTATIONS = Register(
    "consultations",
    "客户咨询记录表",
    "Consultation records",
    table="consultation_records",
    date="coalesce(f.passed_at, f.answered_at)",
    order="coalesce(f.passed_at, f.answered_at), i.number, f.generation",
    history=True,
    columns=(
        _NUMBER,
        _GENERATION,
        *_ABOUT,
        *_CUSTOMER,
        *_CONTACT,
        own("passed_to", "转交部门", "Passed to", Term.DEPARTMENT),
        person("passed_by", "转交人", "Passed by"),
        at("passed_at", "转交时间", "Passed on"),
        person("agent", "答复人", "Agent"),
        at("answered_at", "答复时间", "Answered"),
        customers("question", "咨询内容", "Question"),
        Column("answer", "答复内容", "Answer"),
        *_FAULT,
        Column("known_case", "引用案例", "Known case"),
        yes_no("on_the_line", "当场答复", "On the line"),
        yes_no("to_be_tested", "需客户试用", "To be tested"),
        yes_no("worked", "试用有效", "Worked"),
        at("tested_at", "试用结果时间", "Tested"),
        customers("words", "客户原话", "Customer's words"),
    ),
    left_out=_THE_ISSUE,
)

CALLBACKS = Register(
    "callbacks",
    "客户回访记录表",
    "Callback records",
    table="callback_records",
    date="f.called_at",
    order="f.called_at, i.number, f.generation, f.attempt",
    history=True,
    columns=(
        _NUMBER,
        _GENERATION,
        number("attempt", "第几次回访", "Attempt"),
        *_ABOUT,
        *_CUSTOMER,
        *_CONTACT,
        person("clerk", "回访人", "Clerk"),
        at("called_at", "回访时间", "Called"),
        Column("call", "通话编号", "Call"),
        yes_no("reached", "已联系上", "Reached"),
        yes_no("running", "设备运行正常", "Running normally"),
        yes_no("satisfied", "客户满意", "Satisfied"),
        yes_no("conflict", "投诉或纠纷", "Conflict"),
        customers("words", "客户原话", "Customer's words"),
    ),
    left_out=_THE_ISSUE,
)

_LINKED = Column(
    "arises_from",
    "源自问题",
    "Arises from",
    sql="(SELECT o.number FROM issues o WHERE o.id = i.arises_from)",
)
_RECEIVED = (
    person("received_by", "受理人", "Received by"),
    own("against", "被投诉部门", "Against", Term.DEPARTMENT),
)
_REMEDIES = Column(
    "remedies",
    "补偿",
    "Remedies",
    sql="(SELECT string_agg(concat_ws(' ', r.what, r.amount, r.recorded_at::date),"
    " '; ' ORDER BY r.proposal) FROM remedies r WHERE r.issue_id = i.id AND r.approved"
    " AND r.accepted IS NOT false)",
)
"""What the complainant was to have, and since when they do."""
_VERDICT = code("verdict", "核实结论", "Verdict", words.VERDICTS)

COMPLAINTS = Register(
    "complaints",
    "投诉登记表",
    "Complaint register",
    table="complaint_forms",
    date="i.registered_at",
    order="i.registered_at, i.number",
    join="RIGHT JOIN issues i ON i.id = f.issue_id",
    where=f"coalesce(i.behaves, i.kind) = '{Behaviour.COMPLAINT}'",
    columns=(
        _NUMBER,
        at("registered_at", "登记时间", "Registered", "i.registered_at"),
        at("reported_at", "投诉时间", "Reported", "i.reported_at"),
        code("channel", "受理渠道", "Channel", words.CHANNELS, "i.channel"),
        own("category", "投诉性质", "Category", Term.CATEGORY, "i.category"),
        *_ABOUT[1:],
        *_MACHINE,
        customers("description", "投诉内容", "Description", "i.description"),
        *_CUSTOMER,
        *_CONTACT,
        customers("email", "电子邮箱", "E-mail", "i.email"),
        *_RECEIVED,
        _LINKED,
        _VERDICT,
        code("stage", "状态", "Stage", words.STAGES, "i.stage"),
        code("outcome", "结果", "Outcome", words.OUTCOMES, "i.outcome"),
        at("closed_at", "关闭时间", "Closed", "i.closed_at"),
        at("archived_at", "归档时间", "Archived"),
    ),
    left_out=_THE_ISSUE,
)

COMPLAINT_FORMS = Register(
    "complaint_forms",
    "投诉处理表",
    "Complaint forms",
    table="complaint_forms",
    date="i.registered_at",
    order="i.registered_at, i.number",
    history=True,
    columns=(
        _NUMBER,
        *_ABOUT[1:],
        *_MACHINE,
        *_CUSTOMER,
        *_CONTACT,
        *_RECEIVED,
        _LINKED,
        at("apologised_at", "致歉时间", "Apologised"),
        person("calming_by", "安抚负责人", "To be calmed by"),
        person("calmed_by", "安抚人", "Calmed by"),
        at("calmed_at", "安抚时间", "Calmed"),
        customers("calmed_words", "安抚谈话内容", "What was said", "f.calmed_words"),
        person("verified_by", "核实人", "Verified by"),
        at("verified_at", "核实时间", "Verified"),
        _VERDICT,
        Column("findings", "核实情况", "Findings"),
        person("handled_by", "处理人", "Handled by"),
        Column("result", "处理结果", "Result"),
        at("result_at", "处理时间", "Result of"),
        at("told_at", "告知客户时间", "Customer told"),
        _REMEDIES,
        at("called_at", "回访时间", "Called back"),
        yes_no("satisfied", "客户满意", "Satisfied"),
        at("archived_at", "归档时间", "Archived"),
    ),
    left_out=_THE_ISSUE,
)

_WITH_AND_WITHOUT_A_LINK = """(
    SELECT e.issue_id, e.item, e.person, e.written_by, e.at, e.engineer, e.department, e.technical,
        e.attitude, e.comment, o.organisation AS unit, e.person AS assessor, o.region AS place,
        (e.at AT TIME ZONE o.zone)::date AS scored_on, to_char(e.at AT TIME ZONE o.zone, 'YYYY-MM')
            AS month, NULL AS project, NULL AS opinions, NULL AS way, 'counts' AS counting,
        NULL AS settled_by, NULL::timestamptz AS settled_at
    FROM evaluations e JOIN issues o ON o.id = e.issue_id
    UNION ALL
    SELECT issue_id, item, person, coalesce(written_by, 'customer'), at, engineer, department,
        technical, attitude, comment, unit, assessor, place, scored_on, month, project, opinions,
        way, counting, settled_by, settled_at
    FROM opinions
)"""
"""What came as a step of an issue (R26), and what came without: only that fills in all fields. The
columns of the second are read from the row as a whole, for no history is kept of them.
"""

EVALUATIONS = Register(
    "evaluations",
    "绩效评定表",
    "Evaluations",
    table="evaluations",
    rows=_WITH_AND_WITHOUT_A_LINK,
    join="LEFT JOIN issues i ON i.id = f.issue_id",
    date="f.at",
    order="f.at, i.number, f.item, f.person",
    history=True,
    columns=(
        _NUMBER,
        *_ABOUT,
        *_CUSTOMER,
        at("at", "评价时间", "Scored"),
        code("item", "评定项目", "Item", words.ITEMS),
        person("person", "评价人", "Scored by", customers=True),
        person("written_by", "记录人", "Written by", customers=True),
        person("engineer", "被评工程师", "Engineer"),
        own("department", "被评部门", "Department", Term.DEPARTMENT),
        number("technical", "技术水平（%）", "Technical level, %"),
        number("attitude", "服务态度（%）", "Service attitude, %"),
        customers("comment", "客户意见", "Comment"),
        customers("unit", "评价单位", "Unit", "(f).unit"),
        customers("assessor", "评价人姓名", "Assessor", "(f).assessor"),
        Column("place", "省市县", "Place", sql="(f).place"),
        Column("scored_on", "评价日期", "Date", Holds.DAY, sql="(f).scored_on"),
        Column("month", "评价月份", "Month", sql="(f).month"),
        customers("project", "项目", "Project", "(f).project"),
        customers("opinions", "对本月服务的意见", "On the month's service", "(f).opinions"),
        code("way", "评价途径", "Way", words.WAYS, "(f).way"),
        code("counting", "是否计入", "Counts", words.COUNTING, "(f).counting"),
        person("settled_by", "核实人", "Settled by", sql="(f).settled_by"),
        at("settled_at", "核实时间", "Settled", "(f).settled_at"),
    ),
    left_out=_THE_ISSUE,
)

REMEDIES = Register(
    "remedies",
    "投诉补偿登记表",
    "Remedies",
    table="remedies",
    date="f.proposed_at",
    order="f.proposed_at, i.number, f.proposal",
    history=True,
    columns=(
        _NUMBER,
        number("proposal", "第几次方案", "Proposal"),
        *_ABOUT[1:],
        *_CUSTOMER,
        *_CONTACT,
        Column("remedy", "补偿方式代码", "Kind, by its code"),
        Column("remedy_name", "补偿方式", "Kind"),
        Column("what", "补偿内容", "What they get"),
        Column("amount", "金额（元）", "Amount, yuan", Holds.MONEY),
        Column("reason", "提出理由", "Why"),
        person("proposed_by", "提出人", "Proposed by"),
        at("proposed_at", "提出时间", "Proposed"),
        yes_no("gm_office", "需总经办审批", "For the GM office", "f.decider = 'gm_office'"),
        yes_no("approved", "审批同意", "Agreed to"),
        person("decided_by", "审批人", "Decided by"),
        at("decided_at", "审批时间", "Decided"),
        Column("decision", "审批意见", "Said with it"),
        yes_no("accepted", "客户接受", "The customer has it"),
        person("recorded_by", "记录人", "Recorded by"),
        at("recorded_at", "兑现时间", "Given"),
        Column("receipt", "兑现方式与凭据", "How, with its receipt"),
        customers("words", "客户原话", "Customer's words"),
    ),
    left_out=_THE_ISSUE,
)

DIFFICULTY = Register(
    "difficulty",
    "维修难度评定",
    "Difficulty ratings",
    table="difficulty_ratings",
    date="f.rated_at",
    order="f.rated_at, i.number, f.generation",
    history=True,
    columns=(
        _NUMBER,
        _GENERATION,
        *_ABOUT,
        person("engineer", "工程师", "Engineer"),
        number("difficulty", "难度（1–5）", "Difficulty, 1 to 5"),
        Column("note", "说明", "Note"),
        person("rated_by", "评定人", "Rated by"),
        at("rated_at", "评定时间", "Rated"),
    ),
    left_out=_THE_ISSUE,
)

PAID_SERVICES = Register(
    "paid_services",
    "有费服务单",
    "Paid services",
    table="paid_services",
    date="i.registered_at",
    order="i.registered_at, i.number, f.generation",
    history=True,
    columns=(
        _NUMBER,
        _GENERATION,
        at("registered_at", "登记时间", "Registered", "i.registered_at"),
        *_ABOUT[1:],
        *_CUSTOMER,
        *_CONTACT,
        person("surveyed_by", "勘查人", "Surveyed by"),
        at("surveyed_at", "勘查时间", "Surveyed"),
        Column("findings", "勘查情况", "Findings"),
        person("quoted_by", "报价人", "Quoted by"),
        at("quoted_at", "报价时间", "Quoted"),
        number("quotation", "第几次报价", "Quotation"),
        Column("work", "服务内容", "Work"),
        Column("amount", "报价（元）", "Amount, yuan", Holds.MONEY),
        person("confirmed_by", "确认人", "Confirmed by", customers=True),
        at("confirmed_at", "确认时间", "Confirmed"),
        yes_no("agreed", "客户同意", "Customer agrees"),
        customers("words", "客户原话", "Customer's words"),
        yes_no("approval", "需经理审批", "Needs approval"),
        person("approved_by", "审批人", "Approved by"),
        at("approved_at", "审批时间", "Decided"),
        yes_no("approved", "审批同意", "Approved"),
        Column("reason", "审批意见", "Reason"),
        at("accepted_at", "验收时间", "Work judged"),
        yes_no("accepted", "验收通过", "Work accepted"),
    ),
    left_out=_THE_ISSUE,
)

PANELS = Register(
    "panels",
    "专家会诊记录",
    "Expert panels",
    table="expert_panels",
    date="f.asked_at",
    order="f.asked_at, i.number, f.panel",
    history=True,
    columns=(
        _NUMBER,
        number("panel", "第几次会诊", "Panel"),
        *_ABOUT,
        person("asked_by", "提请人", "Asked by"),
        at("asked_at", "提请时间", "Asked"),
        Column("question", "会诊问题", "Question"),
        Column(
            "experts",
            "会诊专家",
            "Experts",
            sql="(SELECT string_agg(concat_ws(' ', m.name, e.id), '; ' ORDER BY e.place)"
            " FROM unnest(f.experts) WITH ORDINALITY e (id, place)"
            " LEFT JOIN members m ON m.id = e.id)",
        ),
        person("advised_by", "答复人", "Advised by"),
        at("advised_at", "答复时间", "Advised"),
        Column("advice", "会诊意见", "Advice"),
    ),
    left_out=_THE_ISSUE,
)

PROMISES = Register(
    "promises",
    "承诺台账",
    "Ledger of promises",
    table="promises",
    date="f.made_at",
    order="f.made_at, i.number, f.kind, f.generation, f.attempt",
    columns=(
        _NUMBER,
        code("promise", "承诺事项", "Promise", words.PROMISES, "f.kind"),
        _GENERATION,
        number("attempt", "第几次", "Attempt"),
        number("attempts", "最多次数", "Attempts at most"),
        *_ABOUT,
        own("department", "责任部门", "Department", Term.DEPARTMENT, "i.department"),
        Column("target", "承诺时限", "Within"),
        code("clock", "计时方式", "Clock", words.CLOCKS),
        Column("calendar", "工作日历", "Calendar"),
        at("made_at", "承诺时间", "Made"),
        at("opens_at", "最早时间", "Not before"),
        at("due_at", "到期时间", "Due"),
        yes_no("provisional", "暂定", "Provisional"),
        code("state", "兑现情况", "State", words.ENDS, "f.outcome"),
        at("ended_at", "结束时间", "Ended"),
        yes_no(
            "by_own_word",
            "凭本人陈述",
            "By own word",
            f"f.outcome = '{PromiseEnd.KEPT}' AND f.own_word_at IS NOT NULL",
        ),
        at("own_word_at", "补报时间", "Own word given"),
        Column("consumed", "用时", "Time used", Holds.DURATION),
        number("reached", "已过提醒", "Thresholds passed"),
        number("pauses", "暂停次数", "Pauses"),
        Column(
            "stood_still",
            "暂停时长",
            "Stood still",
            Holds.DURATION,
            sql="(SELECT sum((s ->> 'end')::timestamptz - (s ->> 'begin')::timestamptz)"
            " FROM jsonb_array_elements(f.stops) s)",
        ),
        at("paused_at", "暂停自", "Paused since"),
        Column("rulebook", "规则版本", "Rulebook"),
    ),
    left_out=_THE_ISSUE
    | {"marks": "instants of warnings, for the timers; how many have passed is shown"},
)

FORMS = (
    *(ISSUES, HANDLING, CONSULTATIONS, CALLBACKS, COMPLAINTS, COMPLAINT_FORMS, EVALUATIONS),
    *(REMEDIES, DIFFICULTY, PAID_SERVICES, PANELS, PROMISES),
)
"""In the order they are listed."""

REPLACED = (
    at("replaced_at", "被替换时间", "Replaced", "h.replaced_at"),
    person("replaced_by", "替换人", "Replaced by", sql="e.actor"),
    code("action", "替换原因", "By the action", words.ACTIONS, "e.action"),
    number("step", "步骤", "Step", "h.replaced_by"),
)
"""What a history says about each row: when, by whom and by what step it was replaced."""
