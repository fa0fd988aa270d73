"""What the desk learns from its issues, as it is handed out: case library and quality checks."""

from __future__ import annotations

from domain import words
from store.exports.columns import Column, Holds, Register, at, code, number, person, share, yes_no

CASES = Register(
    "cases",
    "案例库",
    "Case library",
    table="known_cases",
    date="f.changed_at",
    order="f.number",
    join="LEFT JOIN issues i ON i.id = f.issue_id",
    columns=(
        Column("number", "案例编号", "Case number"),
        number("revision", "版本", "Revision"),
        code("status", "状态", "Status", words.CASES),
        Column("title", "标题", "Title"),
        Column("product_line", "产品线", "Product line"),
        Column("question", "问题", "Question"),
        Column("solution", "解决办法", "Solution"),
        Column("keywords", "关键词", "Keywords", sql="array_to_string(f.keywords, '; ')"),
        Column("issue", "来源问题", "From issue", sql="i.number"),
        number("generation", "处理次数", "Generation"),
        person("proposed_by", "提交人", "Proposed by"),
        at("proposed_at", "提交时间", "Proposed"),
        person("reviewed_by", "审核人", "Reviewed by"),
        at("reviewed_at", "审核时间", "Reviewed"),
        code("change", "最近变更", "Last change", words.CHANGES),
        person("changed_by", "变更人", "Changed by"),
        at("changed_at", "变更时间", "Changed"),
        Column("note", "变更说明", "Note"),
        number("used", "引用次数", "Used"),
        at("last_used_at", "最近引用", "Last used"),
    ),
    left_out={
        "issue_id": "the workflow's; the issue number says it",
        "search": "the index of what the other columns say",
    },
)

CASE_HISTORY = Register(
    "case_history",
    "案例修订记录",
    "Case revisions",
    table="known_case_history",
    date="f.changed_at",
    order="f.number, f.revision",
    join="",
    columns=(
        Column("number", "案例编号", "Case number"),
        number("revision", "版本", "Revision"),
        code("change", "变更", "Change", words.CHANGES),
        person("changed_by", "变更人", "Changed by"),
        at("changed_at", "变更时间", "Changed"),
        Column("note", "变更说明", "Note"),
        code("status", "状态", "Status", words.CASES, "f.said ->> 'status'"),
        Column("title", "标题", "Title", sql="f.said ->> 'title'"),
        Column("product_line", "产品线", "Product line", sql="f.said ->> 'product_line'"),
        Column("question", "问题", "Question", sql="f.said ->> 'question'"),
        Column("solution", "解决办法", "Solution", sql="f.said ->> 'solution'"),
        Column(
            "keywords",
            "关键词",
            "Keywords",
            sql="(SELECT string_agg(k, '; ' ORDER BY place) FROM"
            " jsonb_array_elements_text(f.said -> 'keywords') WITH ORDINALITY w (k, place))",
        ),
    ),
)

SAMPLES = Register(
    "samples",
    "质量抽检单",
    "Quality samples",
    table="quality_samples",
    date="f.drawn_at",
    order="f.number",
    join="",
    columns=(
        number("number", "抽检单号", "Sample"),
        Column("first_day", "起始日", "First day", Holds.DAY),
        Column("last_day", "截止日", "Last day", Holds.DAY),
        share("share", "抽检比例", "Share", "f.share", "1"),
        number(
            "population",
            "记录总数",
            "Records",
            "(SELECT sum(n::int) FROM jsonb_each_text(f.population) p (handler, n))",
        ),
        number(
            "drawn",
            "抽检数",
            "Drawn",
            "(SELECT count(*) FROM quality_records r WHERE r.sample = f.number)",
        ),
        Column(
            "records",
            "抽检问题",
            "Records drawn",
            sql="(SELECT string_agg(i.number, '; ' ORDER BY i.number) FROM quality_records r"
            " JOIN issues i ON i.id = r.issue_id WHERE r.sample = f.number)",
        ),
        Column("seed", "抽样种子", "Seed"),
        person("drawn_by", "抽样人", "Drawn by"),
        at("drawn_at", "抽样时间", "Drawn at"),
        Column("rulebook", "规则版本", "Rulebook"),
        Column("zone", "时区", "Zone"),
    ),
)

CHECKS = Register(
    "checks",
    "质量抽检记录",
    "Quality checks",
    table="quality_checks",
    date="f.checked_at",
    order="f.sample, i.number, f.checked_at, f.checker, f.revision",
    join="""JOIN quality_records r ON r.sample = f.sample AND r.issue_id = f.issue_id
        JOIN issues i ON i.id = f.issue_id""",
    columns=(
        number("sample", "抽检单号", "Sample"),
        Column("number", "问题编号", "Issue number", sql="i.number"),
        person("handler", "处理人", "Handler", sql="r.handler"),
        person("checker", "检查人", "Checker"),
        at("checked_at", "检查时间", "Checked"),
        number("revision", "版本", "Revision"),
        yes_no(
            "counts",
            "有效",
            "Counts",
            "NOT EXISTS (SELECT FROM quality_checks n WHERE n.sample = f.sample"
            " AND n.issue_id = f.issue_id AND n.checker = f.checker AND n.revision > f.revision)",
        ),
        Column("error", "差错", "Error"),
    ),
)

OVERSIGHT = (CASES, CASE_HISTORY, SAMPLES, CHECKS)
