"""`yinuo webhook`, on the running desk, and the worked receiver as it is documented."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from runtime.embedded.ports import free_ports
from runtime.settings import ROOT
from tests.support.running_desk import RunningDesk, Yinuo

RECEIVER = ROOT / "examples" / "webhooks" / "receiver.py"


@pytest.fixture(scope="module", autouse=True)
def _allowed(running_desk: RunningDesk) -> Iterator[None]:
    """The desk's policy lets it post to this machine."""
    path = running_desk.settings.policy
    before = path.read_text("utf-8")
    path.write_text(before.replace("allow = []", 'allow = ["127.0.0.0/8"]'), "utf-8")
    yield
    path.write_text(before, "utf-8")


@pytest.fixture
def allowed(yinuo: Yinuo, running_desk: RunningDesk) -> None:
    ran = yinuo("policy", "import", str(running_desk.settings.policy))
    assert ran.code == 0, ran.err


@contextmanager
def receiving(secret: str, port: int, inbox: Path) -> Iterator[IO[str]]:
    """The receiver, run as its own documentation says; what it shows."""
    with subprocess.Popen(
        [sys.executable, str(RECEIVER), "--port", str(port), "--inbox", str(inbox)],
        env={**os.environ, "YINUO_WEBHOOK_SECRET": secret},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("listening at http://127.0.0.1:")
        try:
            yield process.stdout
        finally:
            process.terminate()


def test_the_worked_receiver_is_told_once_of_what_happens(
    yinuo: Yinuo, allowed: None, tmp_path: Path
) -> None:
    (port,) = free_ports(1)
    inbox = tmp_path / "inbox.db"
    url = f"http://127.0.0.1:{port}/"
    added = yinuo("webhook", "add", url, "--label", "worked", "--json")
    assert added.code == 0, added.err
    id_, secret = added.json["id"], added.json["secret"]
    with receiving(secret, port, inbox) as shown:
        tested = yinuo("webhook", "test", id_)
        assert (tested.code, tested.out.strip()) == (0, "204"), tested.err
        opened = yinuo(
            *("issue", "open", "--product-line", "ATM", "--region", "广东", "--json"),
            *("--title", "卡钞", "--customer", "张伟", "--phone", "13800000001"),
        )
        assert opened.code == 0, opened.err
        wanted = f"issue.registered {opened.json['number']}\n"
        assert wanted in iter(shown.readline, ""), "or it waits for ever"
    with sqlite3.connect(inbox) as kept:
        ids = [id_ for (id_,) in kept.execute("SELECT id FROM events")]
    kept.close()
    assert len(ids) == len(set(ids)) >= 1
    rotated = yinuo("webhook", "rotate", id_, "--keep", "0h")
    with receiving(secret, port, inbox):
        refused = yinuo("webhook", "test", id_)
        assert refused.code == 1, "it is signed by another secret"
        assert "401" in refused.out
    with receiving(rotated.out.strip(), port, inbox):
        assert yinuo("webhook", "test", id_).code == 0
    assert yinuo("webhook", "remove", id_).code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("https://10.0.0.1/",), "inside"),
        (("https://10.9.8.7:8443/",), "inside"),
        (("https://[::ffff:10.0.0.1]/",), "inside"),
        (("http://1.1.1.1/",), "not encrypted"),
        (("https://user:pass@1.1.1.1/",), "leave user and password out"),
        (("ftp://1.1.1.1/",), "write https://"),
        (("https://1.1.1.1:22/",), "port 22"),
        (("https://no.such.name.invalid/",), "nobody knows its name"),
        (("https://1.1.1.1/", "--events", "issue.eaten"), "there is no issue.eaten; there are:"),
        (("https://1.1.1.1/", "--source", "two words"), "source"),
    ],
)
def test_a_receiver_that_nothing_may_be_posted_to_is_not_added(
    yinuo: Yinuo, allowed: None, arguments: tuple[str, ...], said: str
) -> None:
    before = yinuo("webhook", "list", "--json").json
    ran = yinuo("webhook", "add", *arguments)
    assert ran.code == 2, ran.err
    assert said in " ".join(ran.err.split())
    assert yinuo("webhook", "list", "--json").json == before


def test_a_receiver_is_listed_disabled_enabled_and_forgotten(yinuo: Yinuo, allowed: None) -> None:
    added = yinuo("webhook", "add", "http://127.0.0.1:9999/", "--events", "issue.closed")
    assert added.code == 0, added.err
    secret = added.out.strip()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    assert secret not in added.err
    (listed,) = yinuo("webhook", "list", "--json").json
    assert secret not in str(listed)
    id_ = listed["endpoint"]["id"]
    for command, state in (("disable", "off"), ("enable", "on")):
        assert yinuo("webhook", command, id_).code == 0
        assert yinuo("webhook", "list", "--json").json[0]["endpoint"]["state"] == state
    assert "issue.closed" in yinuo("webhook", "list").out
    assert yinuo("webhook", "test", id_).code == 1, "nobody is there"
    assert yinuo("webhook", "remove", id_).code == 0
    for command in ("test", "rotate", "disable", "enable", "remove"):
        assert yinuo("webhook", command, id_).code == 3
    assert yinuo("webhook", "rotate", id_, "--keep", "soon").code == 2
