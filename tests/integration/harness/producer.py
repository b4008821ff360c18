"""Producers without any Trestle library: what anybody can write with a ZeroMQ binding."""
import json
import struct
import time

import zmq

from .wait import TIMEOUT, eventually


def now_us():
    return int(time.time() * 1_000_000)


def stamp(epoch, seq, when=None):
    return struct.pack(">QQQ", epoch, seq, when if when is not None else now_us())


def encoded(event):
    """An event as its bytes; bytes and text stay as they are."""
    if isinstance(event, bytes):
        return event
    return event.encode() if isinstance(event, str) else json.dumps(event).encode()


class Publisher:
    """The event socket. An XPUB speaks the same wire as a PUB and, being told of subscriptions, knows when it may start:
    so tests need not publish until they are lucky."""

    def __init__(self, *addresses, bind=None, send_hwm=0):
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.XPUB)
        self.socket.setsockopt(zmq.XPUB_VERBOSE, 1)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.SNDHWM, send_hwm)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
        if bind:
            self.socket.bind(bind)
        for address in addresses:
            self.socket.connect(address)
        for _ in addresses or ([bind] if bind else []):
            self.wait_subscribed()

    def wait_subscribed(self):
        """Until one more bridge has subscribed."""
        def subscribed():
            return self.socket.poll(20) and self.socket.recv() == b"\x01"
        eventually(subscribed, "a bridge's subscription", timeout=2 * TIMEOUT)

    def frames(self, *frames, flags=0):
        self.socket.send_multipart(frames, flags)

    def event(self, event, topic=None):
        """One frame, or two with a topic."""
        payload = encoded(event)
        self.frames(*([payload] if topic is None else [topic.encode(), payload]))

    def sequenced(self, producer, epoch, seq, event, topic="", when=None, flags=0):
        self.frames(topic.encode(), producer.encode(), stamp(epoch, seq, when), encoded(event), flags=flags)

    def close(self):
        self.context.destroy(linger=0)


class Control:
    """The control socket of one producer at one bridge."""

    def __init__(self, address, producer, epoch=None):
        self.producer = producer
        self.epoch = epoch or now_us()
        self.context = zmq.Context()
        self.socket = self.context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.RECONNECT_IVL, 20)
        self.socket.setsockopt(zmq.RECONNECT_IVL_MAX, 200)
        if address:
            self.socket.connect(address)

    def raw(self, *frames):
        self.socket.send_multipart(frames)

    def send(self, kind, **members):
        message = {"type": kind, "v": 1, "producer": self.producer, "epoch": self.epoch, **members}
        self.raw(json.dumps(message).encode())

    def hello(self, first=1, last=0, acked=0):
        self.send("hello", first=first, last=last, acked=acked)

    def beat(self, first=1, last=0):
        self.send("beat", first=first, last=last)

    def receive(self, kind, timeout=TIMEOUT):
        """The next message of that kind; others before it are passed over."""
        def message():
            if not self.socket.poll(20):
                return None
            decoded = json.loads(self.socket.recv_multipart()[0])
            return decoded if decoded["type"] == kind else None
        return eventually(message, f"a {kind} from the bridge", timeout=timeout)

    def wait_ack(self, seq):
        while self.receive("ack")["seq"] < seq:
            pass

    def close(self):
        self.context.destroy(linger=0)


class Sequenced:
    """A whole sequenced producer: event socket, control socket, numbering."""

    def __init__(self, bridge, producer, epoch=None, publisher=None):
        self.publisher = publisher or Publisher(bridge.events_addr)
        self.control = Control(bridge.control_addr, producer, epoch)
        self.producer = producer
        self.epoch = self.control.epoch
        self.seq = 0
        self.control.hello()
        self.welcome = self.control.receive("welcome")

    def event(self, event, topic="", when=None, flags=0):
        self.seq += 1
        self.publisher.sequenced(self.producer, self.epoch, self.seq, event, topic, when, flags)
        return self.seq

    def beat(self):
        self.control.beat(first=1, last=self.seq)

    def close(self):
        self.control.close()
        self.publisher.close()
