"""A network of the test's own, for the ports that the seed documents fix."""
import contextlib
import ctypes
import os
import subprocess
import threading

import pytest

CLONE_NEWNET = 0x40000000
_libc = ctypes.CDLL(None, use_errno=True)


@contextlib.contextmanager
def own_network():
    """Puts the calling thread into a new network namespace with a loopback interface of its own. Sockets it opens, threads
    and processes it starts live there too; other threads stay where they are. The namespace goes with its last user."""
    before = os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        if _libc.unshare(CLONE_NEWNET) != 0:
            pytest.skip(f"needs a network namespace of its own: {os.strerror(ctypes.get_errno())}")
        try:
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
            yield
        finally:
            assert _libc.setns(before, CLONE_NEWNET) == 0
    finally:
        os.close(before)
