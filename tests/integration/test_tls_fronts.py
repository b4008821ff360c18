"""What clients see is the same through trestled's own TLS and through an nginx with TLS in front (deploy/nginx/front.conf)."""
import http.client
import json
import random
import subprocess

import pytest

from harness.bridge import REPOSITORY
from harness.client import Client
from harness.wait import TIMEOUT, eventually, free_port

FRONTS = ("own", "nginx")
TWO_SIDES = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"


class Front:
    """A bridge that is reached over TLS at `port`, one way or the other."""

    def __init__(self, kind, trestled, authority, pair, folder, **config):
        self.context, self.port, self.nginx = authority.client_context(), free_port(), None
        self.folder = folder
        certificate, key = pair
        plain = {"address": "127.0.0.1", "port": 0}
        if kind == "own":
            listen = [plain, {"address": "127.0.0.1", "port": self.port, "tls": True}]
            config = {**config, "tls": {"certificate": str(certificate), "key": str(key)}}
        else:
            listen = [plain]
        self.bridge = trestled({"listen": listen, **config})
        if kind == "nginx":
            self._start_nginx(certificate, key)
        eventually(self._serves, "the front")

    def _start_nginx(self, certificate, key):
        block = (REPOSITORY / "deploy/nginx/front.conf").read_text()
        for name, value in (("listen", f"127.0.0.1:{self.port} ssl"), ("bridge", f"127.0.0.1:{self.bridge.port}"),
                            ("log", self.folder / "access.log")):
            block = block.replace("${" + name + "}", str(value))
        block = block.replace("    server_tokens off;", f"    ssl_certificate {certificate};\n    ssl_certificate_key {key};\n"
                                                        "    ssl_protocols TLSv1.2 TLSv1.3;\n    server_tokens off;")
        assert "ssl_certificate " in block
        bodies = "".join(f"    {name}_temp_path {self.folder}/{name};\n" for name in
                         ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"daemon off;\nmaster_process off;\npid {self.folder}/nginx.pid;\nerror_log stderr crit;\n"
            f"events {{}}\nhttp {{\n{bodies}{block}}}\n")
        with open(self.folder / "nginx.err", "wb") as errors:
            self.nginx = subprocess.Popen(["nginx", "-e", "stderr", "-p", self.folder, "-c", self.folder / "nginx.conf"],
                                          stdin=subprocess.DEVNULL, stderr=errors)

    def _serves(self):
        assert self.nginx is None or self.nginx.poll() is None, (self.folder / "nginx.err").read_text()
        try:
            return self.http("/healthz")[0] == 200
        except OSError:
            return False

    def http(self, path, **headers):
        connection = http.client.HTTPSConnection("localhost", self.port, timeout=TIMEOUT, context=self.context)
        try:
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()

    def client(self, path="/", token=True, **options):
        settings = {name: options.pop(name) for name in ("subprotocols", "extra_headers", "compression") if name in options}
        url = self.bridge.ws_url(path, token, self.port, **options).replace("ws://127.0.0.1", "wss://localhost")
        return Client(url, ssl=self.context, host="127.0.0.1", **settings)

    def close(self):
        if self.nginx:
            self.nginx.terminate()
            self.nginx.wait(TIMEOUT)


@pytest.fixture(scope="module")
def pair(authority):
    return authority.issue("front")


@pytest.fixture(params=FRONTS)
def make_front(request, trestled, authority, pair, tmp_path, closing):
    return lambda **config: closing(Front(request.param, trestled, authority, pair, tmp_path, **config))


@pytest.fixture
def front(make_front):
    return make_front()


@pytest.fixture
def connect(closing):
    return lambda front, **options: closing(front.client(**options))


def test_every_way_to_bring_a_token(front, connect, publisher):
    token = front.bridge.token
    clients = [connect(front),
               connect(front, token=None, extra_headers={"Authorization": f"Bearer {token}"}),
               connect(front, token=None, subprotocols=["trestle.plain", f"bearer.{token}"])]
    assert clients[2].subprotocol == "trestle.plain"
    late = connect(front, token=None)
    assert late.request("auth", token=token)["success"]
    publisher(front.bridge).event({"type": "hello"})
    for client in [*clients, late]:
        assert client.json() == {"success": True, "data": {"type": "hello"}}


def test_subscribe_and_unsubscribe(front, connect, publisher):
    client = connect(front, topics="")
    assert client.request("subscribe", topics=["wanted.*"])["success"]
    events = publisher(front.bridge)
    events.event({"type": "unwanted"})
    events.event({"type": "wanted"}, topic="wanted.1")
    client.until("wanted")
    assert client.request("unsubscribe", id=2, topics=["wanted.*"])["success"]


def test_a_cursor_brings_what_was_missed(front, connect, publisher):
    events = publisher(front.bridge)
    first = connect(front, meta=1)
    welcome = first.until("live")["data"]
    events.event({"type": "note", "n": 1})
    offset = first.until("note")["meta"]["offset"]
    first.close()
    for n in (2, 3):
        events.event({"type": "note", "n": n})
    front.bridge.wait_status(lambda status: status["counters"]["events"] >= 3, "the events")
    again = connect(front, meta=1, since=f"{welcome['epoch']}:{offset}")
    assert [again.until("note")["data"]["n"] for _ in range(2)] == [2, 3]
    assert again.until("live")


def test_compression_is_agreed_and_counts(front, connect, publisher):
    client = connect(front, compression="deflate")
    event = {"type": "note", "pad": "the same words again and again " * 200}
    publisher(front.bridge).event(event)
    assert client.data() == event
    assert client._ws.response_headers["Sec-WebSocket-Extensions"] == TWO_SIDES
    assert front.bridge.status()["counters"]["deflated"] == 1


def test_a_mebibyte_arrives_as_it_was(front, connect, publisher):
    client = connect(front, compression=None)
    events, dice = publisher(front.bridge), random.Random(1)
    sent = [{"type": "part", "n": n, "pad": "".join(dice.choices("abcdefgh", k=256 * 1024))} for n in range(4)]
    for event in sent:
        events.event(event)
    assert [client.data() for _ in sent] == sent


def test_close_codes_pass_through(make_front, connect):
    front = make_front(auth={"timeout": "200ms"})
    assert connect(front, token="wrong").close_code() == 4401
    assert connect(front, token=None).close_code() == 4401
    assert connect(front, topics="a..b").close_code() == 4400
    binary = connect(front)
    binary.send(b"\x00")
    assert binary.close_code() == 4400
    big = connect(front)
    big.send("x" * (64 * 1024 + 1))
    assert big.close_code() == 1009


def test_draining_is_told(front, connect):
    client = connect(front, meta=1)
    client.until("live")
    front.bridge.process.terminate()
    client.until("drain")
    assert client.close_code() == 1001


def test_http_answers(front):
    status, page = front.http("/")
    assert status == 200 and "<html" in page
    assert front.http("/healthz") == (200, "ok\n")
    assert front.http("/api/status")[0] == 401
    status, text = front.http("/api/status", Authorization=f"Bearer {front.bridge.token}")
    assert status == 200 and json.loads(text)["success"]
    assert front.http("/nowhere")[0] == 404


def test_heartbeats_go_both_ways(make_front, connect):
    front = make_front(heartbeat={"interval": "200ms", "timeout": "2s"})
    client = connect(front, meta=1)
    client.ping()
    client.until("cursor")
    client.until("cursor")
    assert client.is_open


def test_the_token_is_in_no_log_of_the_front(front, connect):
    connect(front).request("ping")
    connect(front, token="wrong-and-secret").close_code()
    front.close()
    front.bridge.stop()
    for path in [*front.folder.rglob("*.log"), *front.folder.rglob("nginx.err"), *front.folder.rglob("stderr.*")]:
        text = path.read_text()
        assert front.bridge.token not in text and "wrong-and-secret" not in text, path
