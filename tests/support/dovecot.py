"""Debian's Dovecot with one mailbox, over TLS alone; a mail server that is not of our making."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from grp import getgrgid
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest

from runtime.embedded.ports import free_ports
from tests.support.patience import PATIENCE

HERE = "127.0.0.1"
USER, PASSWORD = "service@example.com", "open-sesame"
# Read now: the environment of the tests is emptied.
_REQUIRED = os.environ.get("YINUO_DOVECOT") == "required"
_CONFIGURATION = """
base_dir = {home}/run
state_dir = {home}/run
log_path = {home}/log
protocols = imap
ssl = required
ssl_cert = <{certificate}
ssl_key = <{certificate}
mail_location = maildir:{home}/mail
first_valid_uid = 1
default_internal_user = {servant}
default_internal_group = {group}
default_login_user = {servant}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={owner} gid={owners} home={home}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    address = 127.0.0.1
    port = {port}
  }}
}}
service anvil {{
  chroot =
}}
"""


@dataclass(frozen=True)
class Dovecot:
    """A mailbox of its own, as a folder of files."""

    port: int
    mail: Path
    owner: pwd.struct_passwd

    def receive(self, raw: bytes) -> None:
        name = uuid4().hex
        draft, delivered = self.mail / "tmp" / name, self.mail / "new" / name
        draft.write_bytes(raw)
        os.chown(draft, self.owner.pw_uid, self.owner.pw_gid)
        draft.rename(delivered)

    def flags(self) -> list[str]:
        """The flags of each letter: S for seen, F for flagged."""
        unseen = ["" for _ in (self.mail / "new").iterdir()]
        return sorted(unseen + [p.name.partition(":2,")[2] for p in (self.mail / "cur").iterdir()])


@asynccontextmanager
async def dovecot(certificate: Path) -> AsyncIterator[Dovecot]:
    """Keep one running; skips the test where there is none."""
    program = shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if program is None:
        missing = "there is no Dovecot: `make dovecot` installs Debian's"
        if _REQUIRED:
            pytest.fail(missing)
        pytest.skip(missing)
    as_root = os.getuid() == 0
    owner = pwd.getpwnam("nobody") if as_root else pwd.getpwuid(os.getuid())
    servant = pwd.getpwnam("dovecot") if as_root else owner
    (port,) = free_ports(1)
    with TemporaryDirectory(prefix="yinuo-dovecot-") as place:
        home = Path(place)
        mail = home / "mail"
        for folder in (mail, *(mail / name for name in ("tmp", "new", "cur"))):
            folder.mkdir()
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        for folder in (home, home / "run"):
            folder.mkdir(exist_ok=True)
            folder.chmod(0o755)
        configuration = home / "dovecot.conf"
        said = _CONFIGURATION.format(
            home=home,
            certificate=certificate,
            servant=servant.pw_name,
            group=getgrgid(servant.pw_gid).gr_name,
            owner=owner.pw_uid,
            owners=owner.pw_gid,
            password=PASSWORD,
            port=port,
        )
        configuration.write_text(said, "utf-8")
        process = await asyncio.create_subprocess_exec(program, "-F", "-c", str(configuration))
        try:
            await _greets(port, process, home / "log")
            yield Dovecot(port, mail, owner)
        finally:
            with suppress(ProcessLookupError):
                process.terminate()
            await process.wait()


async def _greets(port: int, process: asyncio.subprocess.Process, log: Path) -> None:
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    async with asyncio.timeout(PATIENCE):
        while True:
            if process.returncode is not None:
                pytest.fail(
                    f"Dovecot did not start: {log.read_text('utf-8') if log.exists() else ''}"
                )
            try:
                reader, writer = await asyncio.open_connection(HERE, port, ssl=trusting)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            assert b"OK" in await reader.readline()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
            return
