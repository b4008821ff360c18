"""CURVE keys as `trestle keygen` makes them, and producers on ZeroMQ's own sockets that use them."""
import os
import pathlib
import re
import subprocess

import yaml
import zmq

from .bridge import BINARY
from .producer import Control, Publisher
from .wait import TIMEOUT

TRESTLE = pathlib.Path(os.environ.get("TRESTLE_BIN") or BINARY.parent) / "trestle"


class Keys:
    """A pair in `folder`; `entry` is what goes into a list of producers."""

    def __init__(self, folder, name, *options):
        self.file = folder / f"{name}.key"
        done = subprocess.run([TRESTLE, "keygen", self.file, *options], check=True, capture_output=True, text=True)
        self.entry = yaml.safe_load(done.stdout)[0]
        text = self.file.read_text()
        self.public = re.search(r"^public: (\S+)$", text, re.MULTILINE)[1]
        self.secret = re.search(r"^secret: (\S+)$", text, re.MULTILINE)[1]


class KeyList:
    """A file of who may connect, replaced whole each time as an editor does it."""

    def __init__(self, path, *keys):
        self.path = path
        self.allow(*keys)

    def allow(self, *keys):
        beside = self.path.with_suffix(".new")
        beside.write_text(yaml.safe_dump({"producers": [pair.entry for pair in keys]}))
        beside.rename(self.path)


def prove(socket, keys, server):
    socket.curve_publickey = keys.public.encode()
    socket.curve_secretkey = keys.secret.encode()
    socket.curve_serverkey = server.encode()


class CurvePublisher(Publisher):
    """The event socket with CURVE; `wait=False` does not wait for the bridge's subscription."""

    def __init__(self, address, keys, server, wait=True):
        super().__init__()
        prove(self.socket, keys, server)
        self.socket.connect(address)
        if wait:
            self.wait_subscribed()


class CurveControl(Control):
    """The control socket with CURVE."""

    def __init__(self, address, producer, keys, server, epoch=None):
        super().__init__(None, producer, epoch)
        prove(self.socket, keys, server)
        self.socket.connect(address)


def is_let_in(kind, address, setup=lambda socket: None, timeout=TIMEOUT):
    """Whether a socket of this kind completes the handshake; `setup` is called before it connects."""
    context = zmq.Context()
    try:
        socket = context.socket(kind)
        socket.linger = 0
        monitor = socket.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED | zmq.EVENT_HANDSHAKE_FAILED_AUTH
                                            | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL
                                            | zmq.EVENT_DISCONNECTED)
        setup(socket)
        socket.connect(address)
        if not monitor.poll(timeout * 1000):
            return False
        event, _ = monitor.recv_multipart()
        return int.from_bytes(event[:2], "little") == zmq.EVENT_HANDSHAKE_SUCCEEDED
    finally:
        context.destroy(linger=0)
