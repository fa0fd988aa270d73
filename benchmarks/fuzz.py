"""Letters and webhooks broken at random: does any of them stop the desk, hold it up, or lose words?

``make fuzz ARGS="--inputs 100000"``. Seeds are letters of the field and others built here, and what
the example mapping files take; each is broken in a few places. Exit status 1 unless none is.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage, Message
from functools import partial
from html import unescape
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

from inbound.letters.apart import Reader
from inbound.letters.letter import NOT_READ
from inbound.mapping import Form, Ignored, Unusable, read_file
from runtime.settings import ROOT

FIELD = ROOT / "tests" / "field" / "letters"
EXAMPLES = ROOT / "examples" / "inbound"
HANGS = 5.0
"""Seconds for one input, on a machine that does nothing else."""
_NOW = datetime(2026, 11, 29, 4, tzinfo=UTC)
_PLANTED = re.compile(r"zq[a-y]{8}|词[钞口卡键盘失灵读]{6}")
"""Words that nothing but a text of a seed has."""
_TOKENS = (
    *(b"\r\n", b"\r\n\r\n", b'"', b";", b"--", b"\x00", b"=?", b"?=", b"=?gb2312?B?", b"<", b">"),
    *(b"<!--", b"<style>", b"</", b"&#", b"=", b"\xff\xfe", b"charset=", b"boundary=", b"*0*="),
    *(b"Content-Type: multipart/mixed; boundary=x\r\n", b"Content-Type: message/rfc822\r\n\r\n"),
    *(b"Content-Transfer-Encoding: base64\r\n", b"(" * 50, b"<b>" * 200, b"utf-7", b"utf-16"),
)


@dataclass
class Tally:
    """What became of the inputs."""

    inputs: int = 0
    tracebacks: int = 0
    hangs: int = 0
    words_lost: int = 0
    words_found: int = 0
    in_a_hurry: int = 0
    slowest: float = 0.0
    examples: list[str] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether nothing happened that must not."""
        return not (self.tracebacks or self.hangs or self.words_lost)

    def note(self, what: str) -> None:
        """Keep the first examples."""
        if len(self.examples) < 5:
            self.examples.append(what)


# Seeds --------------------------------------------------------------------------------------------


def _word(chance: Random) -> str:
    if chance.random() < 0.5:
        return "zq" + "".join(chance.choices("abcdefghijklmnopqrstuvwxy", k=8))
    return "词" + "".join(chance.choices("钞口卡键盘失灵读", k=6))


def _built(chance: Random, depth: int = 0) -> EmailMessage:
    """Build a letter; both versions of a text say the same, as they do in real ones."""
    message = EmailMessage()
    message["From"] = "张伟 <zhang.wei@kehu.example>"
    message["Subject"] = "故障 " + _word(chance)
    words = [_word(chance) for _ in range(chance.randint(1, 4))]
    charset = chance.choice(("utf-8", "gb18030", "gbk"))
    cte = chance.choice(("8bit", "base64", "quoted-printable"))
    text, page = "\n".join(words), "".join(f"<p>{word}</p>\n" for word in words)
    match chance.randrange(4 if depth < 2 else 3):
        case 0:
            message.set_content(text, charset=charset, cte=cte)
        case 1:
            message.set_content(page, subtype="html", charset=charset, cte=cte)
        case 2:
            message.set_content(text, charset=charset, cte=cte)
            message.add_alternative(page, subtype="html", charset=charset, cte=cte)
            message.add_attachment(b"x", maintype="image", subtype="png", filename="现场.png")
        case _:
            message.set_content(text, charset=charset, cte=cte)
            message.add_attachment(_built(chance, depth + 1))
    return message


def letters(chance: Random) -> Iterator[bytes]:
    """Draw seeds for ever."""
    field_letters = [path.read_bytes() for path in sorted(FIELD.glob("*.eml"))]
    while True:
        if chance.random() < 0.3:
            yield chance.choice(field_letters)
        else:
            yield _built(chance).as_bytes()


# Breaking -----------------------------------------------------------------------------------------


def broken(raw: bytes, chance: Random, other: bytes) -> bytes:
    """Break an input in a few places."""
    said = bytearray(raw)
    for _ in range(chance.randint(1, 6)):
        at = chance.randrange(len(said) + 1)
        long = chance.choice((0, 1, 1, 2, 8, 40))
        match chance.randrange(6):
            case 0:
                said[at : at + long] = b""
            case 1:
                said[at : at + long] = chance.randbytes(long)
            case 2 | 3:
                said[at:at] = chance.choice(_TOKENS)
            case 4:
                said[at:at] = said[at : at + 200]
            case _:
                begin = chance.randrange(len(other) + 1)
                said[at:at] = other[begin : begin + 100]
    return bytes(said[:100_000])


# Judging ------------------------------------------------------------------------------------------


def reference(raw: bytes) -> set[str]:
    """Find planted words as Python's own library reads a letter, where it can."""
    found: set[str] = set()
    try:
        for part in message_from_bytes(raw).walk():
            if not part.is_multipart() and part.get_content_maintype() == "text":
                found |= set(_PLANTED.findall(_shown(part)))
    except Exception:  # noqa: BLE001  it trips over much: then there is nothing to compare with
        return found
    return found


def _shown(part: Message) -> str:
    body = part.get_payload(decode=True)
    if not isinstance(body, bytes) or part.get_content_disposition() == "attachment":
        return ""
    text = body.decode(part.get_content_charset("utf-8"))
    if part.get_content_subtype() != "html":
        return text
    seen = re.sub(r"(?is)<!--.*?(?:-->|$)|<(script|style|title)\b.*?(?:</\1\s*>|$)", "", text)
    return unescape(re.sub(r"<[^<>]*>", "", seen))


def try_letter(reader: Reader, form: Form, tally: Tally, raw: bytes) -> None:
    """Read one letter as a mailbox does."""
    letter = reader.read(raw)
    tally.in_a_hurry += NOT_READ in letter["text"]
    known = reference(raw)
    tally.words_found += len(known)
    # However it was wrapped, and whatever fell into the middle of a word.
    shown = re.sub(r"\W", "", f"{letter['subject']}\n{letter['text']}")
    if lost := [word for word in known if word not in shown]:
        tally.words_lost += len(lost)
        tally.note(f"lost {lost} of {raw!r}")
    _mapped(form, dict(letter))


def try_webhook(form: Form, raw: bytes) -> None:
    """Read one call as the doors do."""
    try:
        theirs = json.loads(raw)
    except (ValueError, RecursionError):
        return
    if isinstance(theirs, dict):
        _mapped(form, theirs)


def _mapped(form: Form, theirs: dict[str, Any]) -> None:
    try:
        form.read(theirs, _NOW).model_dump_json().encode()
    except (Ignored, Unusable):
        return


def run(inputs: int, seed: int, tally: Tally) -> None:
    """Try so many inputs; nine in ten are letters."""
    chance = Random(seed)  # noqa: S311  the same again
    drawn, reader = letters(chance), Reader(at_once=1)
    mail = read_file(EXAMPLES / "mail.toml")
    hooks = [
        (read_file(path), path.with_suffix(".json").read_bytes())
        for path in (EXAMPLES / "cti.toml", EXAMPLES / "webform.toml")
    ]
    for _ in range(inputs):
        if chance.random() < 0.9:
            raw = broken(next(drawn), chance, next(drawn))
            _watched(tally, raw, partial(try_letter, reader, mail, tally))
        else:
            form, call = chance.choice(hooks)
            raw = broken(call, chance, call)
            _watched(tally, raw, partial(try_webhook, form))
    reader.close()


def _watched(tally: Tally, raw: bytes, trial: Callable[[bytes], None]) -> None:
    tally.inputs += 1
    began = perf_counter()
    try:
        trial(raw)
    except Exception:  # noqa: BLE001  to count them is what this is for
        tally.tracebacks += 1
        tally.note(f"{traceback.format_exc()}\nby {raw!r}")
    took = perf_counter() - began
    tally.slowest = max(tally.slowest, took)
    if took > HANGS:
        tally.hangs += 1
        tally.note(f"{took:.1f} s: {raw!r}")


def main() -> int:
    """Run, and say what became of it."""
    asked = argparse.ArgumentParser(prog="make fuzz", description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--inputs", type=int, default=20_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--json", type=Path, help="write the figures there as well")
    given = asked.parse_args()
    tally = Tally()
    began = perf_counter()
    run(given.inputs, given.seed, tally)
    figures = {name: value for name, value in vars(tally).items() if name != "examples"}
    figures |= {"seed": given.seed, "seconds": round(perf_counter() - began, 1)}
    for name, value in figures.items():
        sys.stdout.write(f"{name.replace('_', ' '):<14} {value:,.10g}\n")
    for example in tally.examples:
        sys.stderr.write(f"\n{example[:3000]}\n")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=2) + "\n", "utf-8")
    return 0 if tally.sound else 1


if __name__ == "__main__":
    sys.exit(main())
