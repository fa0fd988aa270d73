"""The search attributes of an issue: what supervisors filter by in the Temporal Web UI.

Plain text and eventually consistent: filters only, never logic, and never customer data.
"""

from datetime import datetime
from typing import Any

from temporalio.common import SearchAttributeKey

ISSUE_NUMBER = SearchAttributeKey.for_keyword("IssueNumber")
ISSUE_STAGE = SearchAttributeKey.for_keyword("IssueStage")
ISSUE_KIND = SearchAttributeKey.for_keyword("IssueKind")
ISSUE_CATEGORY = SearchAttributeKey.for_keyword("IssueCategory")
ISSUE_SEVERITY = SearchAttributeKey.for_keyword("IssueSeverity")
PRODUCT_LINE = SearchAttributeKey.for_keyword("ProductLine")
REGION = SearchAttributeKey.for_keyword("Region")
DEPARTMENT = SearchAttributeKey.for_keyword("Department")
ENGINEER = SearchAttributeKey.for_keyword("Engineer")
SLA_STATE = SearchAttributeKey.for_keyword("SlaState")

NEXT_DUE_AT: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("NextDueAt")
RESOLUTION_DUE_AT: SearchAttributeKey[datetime] = SearchAttributeKey.for_datetime("ResolutionDueAt")

ESCALATION_LEVEL = SearchAttributeKey.for_int("EscalationLevel")
REOPEN_COUNT = SearchAttributeKey.for_int("ReopenCount")
ISSUE_STEP = SearchAttributeKey.for_int("IssueStep")

# SQL visibility has ten Keyword columns, three Datetime and three Int; of the first and the last
# none is left.
SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[Any], ...] = (
    ISSUE_NUMBER,
    ISSUE_STAGE,
    ISSUE_KIND,
    ISSUE_CATEGORY,
    ISSUE_SEVERITY,
    PRODUCT_LINE,
    REGION,
    DEPARTMENT,
    ENGINEER,
    SLA_STATE,
    NEXT_DUE_AT,
    RESOLUTION_DUE_AT,
    ESCALATION_LEVEL,
    REOPEN_COUNT,
    ISSUE_STEP,
)
