"""Kills a function with SIGKILL at every write it makes, seen from outside: the system calls of its process, whoever makes them.

What SQLite, a database driver or the interpreter writes in C is counted as well: the process is traced (ptrace), and dies as it
enters the n-th call that writes, syncs, renames, removes, cuts, or sends. Linux on x86-64 and arm64.
"""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import struct
import sys
import traceback
from collections.abc import Callable

TRACEME, SYSCALL, KILL, SETOPTIONS, GET_SYSCALL_INFO = 0, 24, 8, 0x4200, 0x420E
SYSGOOD, EXITKILL = 1, 0x100000
ENTRY = 1
STOPPED = signal.SIGTRAP | 0x80
# Numbers of write, pwrite64, writev, pwritev, ftruncate, fsync, fdatasync, rename*, unlink*, mkdir*, rmdir, sendto, sendmsg.
NUMBERS = {
    "x86_64": {1, 18, 20, 296, 77, 74, 75, 82, 264, 316, 87, 263, 83, 258, 84, 44, 46},
    "aarch64": {64, 68, 66, 70, 46, 82, 83, 38, 276, 35, 34, 206, 211},
}
CHANGES = NUMBERS.get(platform.machine(), set())

_libc = ctypes.CDLL(None, use_errno=True)
_libc.ptrace.restype = ctypes.c_long
_libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def _ptrace(request: int, pid: int, address: int | None = None, data: int | None = None) -> int:
    ctypes.set_errno(0)
    done: int = _libc.ptrace(request, pid, address, data)
    if done < 0 and ctypes.get_errno():
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return done


def may_trace() -> bool:
    """Whether this machine lets a process trace its child; some containers do not."""
    try:
        return bool(CHANGES) and not killed_at(0, lambda: None)
    except OSError:
        return False


def killed_at(point: int, act: Callable[[], object]) -> bool:
    """Run ``act`` in a child that dies as it enters its ``point``-th change, from 1 (0: it lives); whether it died there.

    Raises:
        AssertionError: it ended by itself, and not well; what it said is on standard error.
    """
    child = os.fork()
    if child == 0:
        _obey(act)
    os.waitpid(child, 0)
    try:
        _ptrace(SETOPTIONS, child, None, SYSGOOD | EXITKILL)
        status = _follow(child, point)
    except OSError:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    if os.WIFSIGNALED(status):
        return True
    assert os.waitstatus_to_exitcode(status) == 0
    return False


def _obey(act: Callable[[], object]) -> None:
    status = 1
    try:
        _ptrace(TRACEME, 0)
        os.kill(os.getpid(), signal.SIGSTOP)
        act()
        status = 0
    except BaseException:
        traceback.print_exc(file=sys.__stderr__)
    os._exit(status)


def _follow(child: int, point: int) -> int:
    about = (ctypes.c_uint64 * 16)()
    seen = passing = 0
    while True:
        _ptrace(SYSCALL, child, None, passing)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status) or os.WIFSIGNALED(status):
            return status
        stopped = os.WSTOPSIG(status)
        passing = 0 if stopped == STOPPED else stopped
        if stopped != STOPPED:
            continue
        _ptrace(GET_SYSCALL_INFO, child, ctypes.sizeof(about), ctypes.addressof(about))
        kind, number = bytes(about)[0], struct.unpack_from("Q", bytes(about), 24)[0]
        if kind == ENTRY and number in CHANGES:
            seen += 1
            if seen == point:
                os.kill(child, signal.SIGKILL)
                return os.waitpid(child, 0)[1]
