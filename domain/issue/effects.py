"""What an action brings about: what changes of the step that ``lifecycle.decide`` makes. One room
for each part of the regulation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from domain.issue import complaints, follow_up, handling, hotline, paid_service, thresholds
from domain.issue.actions import ActionName
from domain.issue.common import Changes
from domain.issue.state import Issue

EFFECTS: Mapping[ActionName, Callable[[Issue, Any, datetime], Changes]] = {
    ActionName.ANSWER: hotline.answered,
    ActionName.REPORT_TEST: hotline.report_test,
    ActionName.VERIFY: complaints.verify,
    ActionName.ACCEPT: handling.accept,
    ActionName.REPORT_PROGRESS: handling.report_progress,
    ActionName.WAIT_FOR_CUSTOMER: handling.wait_for_customer,
    ActionName.RESUME: handling.resume,
    ActionName.TRANSFER: handling.transfer,
    ActionName.REASSIGN: handling.reassign,
    ActionName.CONSULT: handling.consult,
    ActionName.SURVEY: paid_service.survey,
    ActionName.QUOTE: paid_service.quote,
    ActionName.CONFIRM: paid_service.confirm,
    ActionName.APPROVE: paid_service.approve,
    ActionName.RESOLVE: handling.resolve,
    ActionName.RECORD_CALLBACK: follow_up.record_callback,
    ActionName.EVALUATE: follow_up.evaluate,
    ActionName.RATE_DIFFICULTY: follow_up.rate_difficulty,
    ActionName.ESCALATE: handling.escalate,
    ActionName.WITHDRAW: handling.withdraw,
    ActionName.REPLAN: thresholds.replan,
    ActionName.ASSIGN: handling.assign,
    ActionName.THRESHOLD: thresholds.threshold,
    ActionName.REPLIED: handling.replied,
    ActionName.HAND_OVER: handling.hand_over,
    ActionName.COMPLAINT_RAISED: handling.complaint_raised,
    ActionName.CANCEL: handling.cancel,
    ActionName.CANCELLATION_ASKED: handling.cancellation_asked,
    ActionName.REPAIR: handling.repair,
}
