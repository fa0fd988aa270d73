"""What whoever is at a page says on the telephone (R40)."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import Request

from domain.scripts import UNWORDED, Place, Script, Speaker, Spoken
from domain.sla.policy import Desk
from domain.vocabulary import Language, Named
from starter.client import Unavailable
from web.auth.identity import Visitor
from web.context import Doors
from web.rendering import language as reader

Scripts = Mapping[Script, Spoken]
"""What there is to say, by script: what the desk does not have is not there."""


async def speaker(request: Request, here: Doors, who: Visitor) -> Speaker:
    """Say who speaks, for whom and by which words: in the reader's language to customers who have
    none of their own. While there is no answer, there are no words.
    """
    desk = Desk(language=Language(reader(request)))
    try:
        wording = await here.registers.scripts.wording()
        members = await here.registers.staff.members()
    except Unavailable:
        return Speaker(UNWORDED, desk)
    person = next((each.person for each in members if each.id == who.caller.id), None)
    letterhead = await here.registers.staff.letterhead()
    return Speaker(wording, letterhead.model_copy(update={"language": desk.language}), person)


def lines(
    speaks: Speaker,
    language: Language | None,
    *scripts: Script,
    department: Named | None = None,
) -> Scripts:
    """Fill scripts in, with the department that the issue goes to, if it is known."""
    language = language or speaks.desk.language
    known = {Place.DEPARTMENT: department.said(language)} if department else {}
    said = (speaks.say(script, language, known) for script in scripts)
    return {each.script: each for each in said if each}
