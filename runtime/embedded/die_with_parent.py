"""Becomes another program, one that does not outlive its parent.

Run as a script, on a plain interpreter: `die_with_parent.py PARENT SIGNAL USER COMMAND…`. On
Linux the kernel then sends SIGNAL when the parent is gone, even after SIGKILL; elsewhere the
command simply runs. A USER other than "-" is switched to first, for PostgreSQL, which refuses to
run as root.

A script rather than `preexec_fn`: the parent has threads, and between its fork and its exec no
Python may safely run.
"""

import ctypes
import os
import pwd
import sys

_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE = 47, 2
_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


def main(parent: str, signal: str, user: str, *command: str) -> None:
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
    if user != "-":
        _become(user, libc)
    if libc is not None:
        libc.prctl(_PR_SET_PDEATHSIG, int(signal), 0, 0, 0)
        if os.getppid() != int(parent):  # it ended before we were tied to it
            sys.exit(1)
    os.execv(command[0], command)  # noqa: S606 - becoming the command is the purpose


def _become(user: str, libc: ctypes.CDLL | None) -> None:
    account = pwd.getpwnam(user)
    if libc is not None:
        libc.prctl(_PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setgid(account.pw_gid)
    os.setuid(account.pw_uid)
    if libc is not None:
        _keep_reach(libc)


def _keep_reach(libc: ctypes.CDLL) -> None:
    """Keep root's reach over files, so that a checkout below /root needs no chmod.

    Not granted everywhere; PostgreSQL's own message then names the directory.
    """
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable; then the upper halves
    if libc.capget(header, sets) == 0:
        wanted = sets[1] & (1 << _CAP_DAC_OVERRIDE)
        sets[0], sets[1], sets[2], sets[3], sets[4], sets[5] = wanted, wanted, wanted, 0, 0, 0
        libc.capset(header, sets)
        libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0)


if __name__ == "__main__":
    main(*sys.argv[1:])
