"""The evaluation form (R26), of the website and of staff: several items are scored in one go."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pydantic import ValidationError

from domain import words
from domain.opinions import FromStaff, Opinion, Scored, Way
from domain.vocabulary import HIGHEST_SCORE, LOWEST_SCORE, ServiceItem
from web.forms.form import Field, Filled, Form, InvalidForm
from web.forms.wording import INTAKE, LABELS
from web.rendering import Reason

T = TypeVar("T", bound=Opinion)
SCORES = ("technical", "attitude")
_NUMBER: Reason = ("请填问题编号，或者填单位、月份和项目", "the number, or unit, month and project")
_PHONE: Reason = ("请填报修时留下的电话", "the telephone by which it was reported")
_SCORE: Reason = (f"请填 {words.SCORES[0]} 的整数", f"a whole number, {words.SCORES[1]}")
_BOTH: Reason = ("两项都请填写", "please fill in both")
_NOTHING: Reason = ("请至少为一项服务填写两个分数", "please score at least one service")
_WORDING = replace(
    INTAKE,
    by_field={
        **INTAKE.by_field,
        "number": _NUMBER,
        "phone": _PHONE,
        "month": ("请写成 2026-11 的样子", "write it like 2026-11"),
        "scored_on": ("请写成 2026-11-30 的样子", "write it like 2026-11-30"),
    },
    refused={
        "month": "这个月还没有到，请填服务所在的月份",
        "scored_on": "这一天还没有到，请填评价的日期",
        **dict.fromkeys(("unit", "project", "place", "assessor"), "请填写看得见的文字"),
    },
)


def _line(name: str, zh: str, en: str, *, required: bool = False) -> Field:
    return Field(name, "line", (zh, en), required=required)


_ABOUT_AN_ISSUE = (_line("number", "问题编号", "Number of the issue"),)
_BY_PHONE = _line("phone", "报修时留下的电话", "Telephone by which it was reported")
_ABOUT_A_MONTH = (
    _line("unit", "单位", "Organisation"),
    _line("month", "月份（如 2026-11）", "Month, like 2026-11"),
    _line("project", "项目", "Project"),
)
_WHO = (
    _line("assessor", "评价人姓名", "Your name", required=True),
    _line("place", "省、市或县", "Province, city or county"),
    _line("scored_on", "日期（不填即今天）", "Date, today if left out"),
)
_WORDS = (
    Field("opinions", "text", ("对本月服务的意见（可不填）", "On this month's service, optional")),
    Field("comment", "text", ("其他意见（可不填）", "Anything else, optional")),
)
_SCORED = tuple(
    Field(
        f"{item}_{score}",
        "number",
        LABELS[score],
        least=LOWEST_SCORE,
        most=HIGHEST_SCORE,
    )
    for item in ServiceItem
    for score in SCORES
)
WAY = Field(
    "way",
    "choice",
    ("怎么得知的", "How you heard it"),
    required=True,
    options=tuple((way, words.WAYS[way]) for way in (Way.TELEPHONE, Way.PAPER)),
)


def form_of(model: type[T]) -> Form[T]:
    """Return the form of staff, or of whoever comes."""
    first = (WAY, *_ABOUT_AN_ISSUE) if model is FromStaff else (*_ABOUT_AN_ISSUE, _BY_PHONE)
    return Form(model, (*first, *_ABOUT_A_MONTH, *_WHO, *_SCORED, *_WORDS), wording=_WORDING)


def read(form: Form[T], filled: Filled) -> T:
    """Read what was filled in.

    Raises:
        InvalidForm: with all that is wrong.
    """
    scores, wrong = _scores(filled)
    asked = {each.name for each in form.fields} - {each.name for each in _SCORED}
    said = {name: text for name in asked if (text := filled[name].strip())}
    try:
        found = form.model.model_validate({**said, "scores": scores})
    except ValidationError as error:
        raise InvalidForm(form.reasons(error) | wrong) from None
    if wrong:
        raise InvalidForm(wrong)
    return found


def _scores(filled: Filled) -> tuple[list[Scored], dict[str, Reason]]:
    """Read the scores, and what is wrong with them: of a service both are given, or none."""
    scores: list[Scored] = []
    wrong: dict[str, Reason] = {}
    for item in ServiceItem:
        written = {score: filled[f"{item}_{score}"].strip() for score in SCORES}
        if not any(written.values()):
            continue
        try:
            scores.append(Scored.model_validate({"item": item, **written}))
        except ValidationError as error:
            scores.append(Scored(item=item, technical=0, attitude=0))
            wrong |= {
                f"{item}_{each['loc'][0]}": _SCORE if written[str(each["loc"][0])] else _BOTH
                for each in error.errors()
            }
    if not scores:
        scores.append(Scored(item=ServiceItem.AFTER_SALES, technical=0, attitude=0))
        wrong[_SCORED[-2].name] = _NOTHING
    return scores, wrong
