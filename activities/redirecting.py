"""What has not been sent yet when a customer's data are corrected (R44): it is written anew, for
whoever they are by now and with links that open, and goes to where they are reached by now.

What is being sent at that very moment cannot be called back, and is not tried again; what had been
handed to a person stays theirs. Both are in what the customer is told at the corrected address.
"""

from __future__ import annotations

from activities.addressing import Directory, written
from domain.issue.actions import ActionName
from domain.issue.step import Step
from domain.sla.policy import Policy
from domain.vocabulary import Audience
from store import issue_reader, outbox
from store.connection import Connection

CALLED_BACK = "the address was corrected while this was being sent: it went to the former one"


async def redirected(
    connection: Connection, step: Step, policy: Policy, directory: Directory
) -> Directory:
    """Redirect what waits, if a step corrects its customer's data; ``directory`` finds them by now.
    It is returned with what did not reach them.
    """
    if step.action is not ActionName.AMEND:
        return directory
    waiting = await outbox.waiting_for_customer(connection, step.issue_id)
    seqs = {each.seq for each in waiting}
    anew = {
        (recorded.step.seq, message.template, message.for_issue): message
        for recorded in await issue_reader.recorded(connection, step.issue_id, seqs)
        for message in written(recorded.step, policy, directory.about(recorded))
        if message.audience is Audience.CUSTOMER
    }
    under_way = []
    for each in waiting:
        message = anew.get((each.seq, each.template, each.for_issue))
        if message is None:
            continue
        if each.status == "pending":
            await outbox.redirect(connection, each.key, message)
        elif (each.channel, each.address) != (message.channel, message.address):
            under_way.append(each.key)
    await outbox.call_back(connection, under_way, CALLED_BACK)
    missed = await outbox.missed_by_customer(connection, step.issue_id)
    return directory.about(directory.recorded, missed)
