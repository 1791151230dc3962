"""`python -I confined.py UID:GID COMMAND...`: run the command as that user on a read-only file system, as a kubelet
would.

Needs no rights. The user: in a user namespace of its own, or by giving root up where the kernel allows no such
namespace. The read-only file system: by Landlock, from which only /dev is excepted; where the kernel has none, by the
modes of files.
"""

import ctypes
import os
import sys
from pathlib import Path
from typing import Final

LIBC: Final = ctypes.CDLL(None, use_errno=True)
NEW_USER: Final = 0x10000000  # CLONE_NEWUSER
NO_NEW_PRIVILEGES: Final = 38
CREATE, ADD, RESTRICT = 444, 445, 446  # Landlock's system calls, the same on all architectures
WRITE_FILE: Final = 1 << 1
ALL_WRITES: Final = WRITE_FILE | sum(1 << bit for bit in range(4, 13))  # and to remove or make anything
TRUNCATE: Final = 1 << 14  # from version 3
PATH_BENEATH: Final = 1


class Beneath(ctypes.Structure):
    """struct landlock_path_beneath_attr"""

    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32))


def version() -> int:
    """Landlock's; 0 where the kernel has none."""
    return max(0, LIBC.syscall(CREATE, None, 0, 1))


def read_only() -> bool:
    """For this process and its children; False where the kernel cannot."""
    if not version():
        return False
    handled = ctypes.c_uint64(ALL_WRITES | (TRUNCATE if version() >= 3 else 0))
    rules = _done(LIBC.syscall(CREATE, ctypes.byref(handled), 8, 0))
    device = os.open("/dev", os.O_PATH)
    allowed = Beneath(WRITE_FILE, device)
    _done(LIBC.syscall(ADD, rules, PATH_BENEATH, ctypes.byref(allowed), 0))
    _done(LIBC.prctl(NO_NEW_PRIVILEGES, 1, 0, 0, 0))
    _done(LIBC.syscall(RESTRICT, rules, 0))
    os.close(device)
    os.close(rules)
    return True


def become(user: int, group: int) -> None:
    """Rights that go with a user namespace end with the next exec, as this user is not its root."""
    outer_user, outer_group = os.geteuid(), os.getegid()
    if LIBC.unshare(NEW_USER) == 0:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {outer_user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {outer_group} 1")
    elif outer_user == 0:
        os.setgroups([])
        os.setresgid(group, group, group)
        os.setresuid(user, user, user)


def _done(result: int) -> int:
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


if __name__ == "__main__":
    become(*map(int, sys.argv[1].split(":")))
    read_only()
    os.execvp(sys.argv[2], sys.argv[2:])
