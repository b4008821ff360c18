"""Machines of the test's own, as network namespaces, and bad lines between them."""
import contextlib
import ctypes
import fcntl
import os
import pathlib
import shutil
import struct
import subprocess
import sys
import threading

import pytest

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 0x0001, 0x1000
_libc = ctypes.CDLL(None, use_errno=True)


def _own_namespace():
    return os.open(f"/proc/self/task/{threading.get_native_id()}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


class Namespace:
    """One machine. It has no name and goes with its last user, so nothing is left behind, not even by a test that was
    killed."""

    def __init__(self):
        if not shutil.which("ip"):
            pytest.skip("needs the program ip (iproute2)")
        before = _own_namespace()
        try:
            if _libc.unshare(CLONE_NEWNET) != 0:
                pytest.skip(f"needs network namespaces: {os.strerror(ctypes.get_errno())}")
            try:
                self.fd = _own_namespace()
                run("ip", "link", "set", "dev", "lo", "up")
            finally:
                assert _libc.setns(before, CLONE_NEWNET) == 0
        finally:
            os.close(before)

    @contextlib.contextmanager
    def entered(self):
        """The calling thread is there: sockets it opens, threads and processes it starts live there and stay there."""
        before = _own_namespace()
        try:
            assert _libc.setns(self.fd, CLONE_NEWNET) == 0, os.strerror(ctypes.get_errno())
            try:
                yield self
            finally:
                assert _libc.setns(before, CLONE_NEWNET) == 0
        finally:
            os.close(before)

    def run(self, *command):
        """Runs a command there to its end; its output."""
        with self.entered():
            return run(*command)

    def connections(self, port):
        """How many established TCP connections there have this port at either end."""
        ends = ["(", "sport", f"= :{port}", "or", "dport", f"= :{port}", ")"]
        return len(self.run("ss", "-Htn", "state", "established", *ends).splitlines())

    def close(self):
        os.close(self.fd)


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, (command, done.stderr)
    return done.stdout


def has_netem(namespace):
    """Whether this kernel can spoil a line by itself; many small ones are built without."""
    with namespace.entered():
        command = ["tc", "qdisc", "add", "dev", "lo", "root", "netem", "delay", "0ms"]
        if not shutil.which("tc") or subprocess.run(command, capture_output=True, check=False).returncode:
            return False
        run("tc", "qdisc", "del", "dev", "lo", "root")
        return True


class Line:
    """A line between two machines, named `name` at both ends. Fine at first; spoil() is for each direction alone."""

    def __init__(self, name, one, its_address, other, others_address):
        self._name, self._ends = name, (one, other)
        self._connect()
        for namespace, address, peer in ((one, its_address, others_address), (other, others_address, its_address)):
            namespace.run("ip", "address", "add", address, "peer", peer, "dev", name)
            namespace.run("ip", "link", "set", "dev", name, "up")

    def cut(self):
        """Nothing gets through, and nobody is told: what is sent just does not arrive."""
        self.spoil(loss=1)

    def heal(self):
        self.spoil()

    def close(self):
        pass


class NetemLine(Line):
    """A pair of virtual Ethernet devices, spoiled by the kernel."""

    def _connect(self):
        one, other = self._ends
        one.run("ip", "link", "add", self._name, "type", "veth", "peer", "name", self._name, "netns",
                f"/proc/{os.getpid()}/fd/{other.fd}")

    def spoil(self, delay=0, jitter=0, loss=0):
        """delay and jitter in ms, loss from 0 to 1."""
        for namespace in self._ends:
            namespace.run("tc", "qdisc", "replace", "dev", self._name, "root", "netem", "delay", f"{delay}ms", f"{jitter}ms",
                          "loss", f"{100 * loss}%")


class CarriedLine(Line):
    """For kernels without netem: two TUN devices, and a process that carries every packet from one to the other, late, or
    not at all."""

    def _connect(self):
        tuns = [self._tun(namespace) for namespace in self._ends]
        try:
            self._carrier = subprocess.Popen(
                [sys.executable, str(pathlib.Path(__file__).with_name("carrier.py")), *map(str, tuns)],
                stdin=subprocess.PIPE, pass_fds=tuns, text=True)
        finally:
            for tun in tuns:
                os.close(tun)

    def _tun(self, namespace):
        with namespace.entered():
            try:
                tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
            except OSError as error:
                pytest.skip(f"needs netem in the kernel, or /dev/net/tun: {error}")
            fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", self._name.encode(), IFF_TUN | IFF_NO_PI))
            return tun

    def spoil(self, delay=0, jitter=0, loss=0):
        """delay and jitter in ms, loss from 0 to 1."""
        assert self._carrier.poll() is None, "the carrier is gone"
        self._carrier.stdin.write(f"{delay} {jitter} {loss}\n")
        self._carrier.stdin.flush()

    def close(self):
        self._carrier.stdin.close()
        self._carrier.wait(10)


class Network:
    """A star: `hub` in the middle, every other machine on a line of its own.

    machines: {name: Namespace}; lines: {name: Line}; hub_address: {name: what that machine calls the hub}."""

    def __init__(self, *names):
        with contextlib.ExitStack() as ends:
            self.hub = self._closing(ends, Namespace())
            self.machines, self.lines, self.hub_address = {}, {}, {}
            kind = NetemLine if has_netem(self.hub) else CarriedLine
            for number, name in enumerate(names):
                self.machines[name] = self._closing(ends, Namespace())
                self.hub_address[name] = f"10.77.{number}.1"
                self.lines[name] = self._closing(ends, kind(name, self.hub, self.hub_address[name], self.machines[name],
                                                            f"10.77.{number}.2"))
            self._ends = ends.pop_all()

    @staticmethod
    def _closing(ends, thing):
        ends.callback(thing.close)
        return thing

    def retransmitted(self):
        """TCP segments that somebody had to send again."""
        everyone = [self.hub, *self.machines.values()]
        return sum(int(machine.run("nstat", "-asz", "TcpRetransSegs").split()[-2]) for machine in everyone)

    def close(self):
        self._ends.close()
