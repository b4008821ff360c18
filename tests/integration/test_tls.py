"""trestled's own TLS: what it speaks, what it refuses, and certificates that change under it."""
import json
import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import time

import pytest

from harness.client import Client
from harness.flood import flood
from harness.raw import exchange, read_all, upgrade
from harness.tls import Authority, Pair, cipher_of, s_client, serial_seen
from harness.wait import TIMEOUT, eventually, free_port

GOOD_12 = {"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305"}
GOOD_13 = {"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}
EVERYTHING = "ALL:COMPLEMENTOFALL:@SECLEVEL=0"
STAYS = "certificate stays as it was"


@pytest.fixture(scope="module")
def issued(authority):
    return authority.issue("first")


@pytest.fixture
def secure(trestled, tmp_path, issued):
    """secure(tls={…}): a bridge with a plain listener and, at bridge.tls_port, one with TLS; its files are bridge.pair."""
    def make(tls=None, pair=None, **config):
        files = Pair(tmp_path / "files", pair or issued)
        port = free_port()
        bridge = trestled({
            "listen": [{"address": "127.0.0.1", "port": 0}, {"address": "127.0.0.1", "port": port, "tls": True}],
            "tls": {"certificate": str(files.certificate), "key": str(files.key), **(tls or {})}, **config})
        bridge.tls_port, bridge.pair = port, files
        return bridge
    return make


@pytest.fixture
def wss(closing):
    """wss(bridge, context): a WebSocket client over TLS."""
    def make(bridge, context, **query):
        url = bridge.ws_url(port=bridge.tls_port, **query).replace("ws://127.0.0.1", "wss://localhost")
        return closing(Client(url, ssl=context, host="127.0.0.1"))
    return make


# --- versions, ciphers, and what else a scanner looks at ------------------------------------------------------------------

def client_hello(version):
    """A hello of an old client: that version and no later one, with ciphers that every server of its time had."""
    ciphers = struct.pack(">5H", 0xC02B, 0xC02F, 0xC009, 0xC013, 0x002F)
    extensions = struct.pack(">HHHH", 10, 4, 2, 23) + struct.pack(">HHBB", 11, 2, 1, 0) + struct.pack(">HHHHH", 13, 6, 4, 0x0403, 0x0401)
    body = struct.pack(">H", version) + os.urandom(32) + b"\0" + struct.pack(">H", len(ciphers)) + ciphers + b"\x01\0"
    body += struct.pack(">H", len(extensions)) + extensions
    handshake = b"\x01" + len(body).to_bytes(3, "big") + body
    return b"\x16" + struct.pack(">HH", min(version, 0x0301), len(handshake)) + handshake


def answer_to(port, hello):
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as sock:
        sock.sendall(hello)
        return sock.recv(4096)


@pytest.mark.parametrize("version", [0x0300, 0x0301, 0x0302], ids=["ssl3", "tls1", "tls1_1"])
def test_old_versions_are_refused(secure, version):
    answer = answer_to(secure().tls_port, client_hello(version))
    fatal = (b"\x02\x46", b"\x02\x28")                                    # protocol_version, or handshake_failure
    assert answer[:1] == b"\x15" and answer[5:7] in fatal, answer


def test_the_same_hello_with_a_version_of_today_is_answered(secure):
    answer = answer_to(secure().tls_port, client_hello(0x0303))
    assert answer[:1] == b"\x16" and answer[5:6] == b"\x02", answer         # handshake, ServerHello


def test_what_the_openssl_client_gets(secure, authority):
    """One bridge for all that a scanner would ask."""
    port = secure().tls_port
    for option in ("-tls1", "-tls1_1"):
        assert cipher_of(s_client(port, option, "-cipher", EVERYTHING)) in (None, "(NONE)")
    for option, version in (("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")):
        output = s_client(port, option, "-CAfile", authority.root, "-servername", "localhost")
        assert f"New, {version}," in output
        assert "Verify return code: 0 (ok)" in output                       # so the chain was sent
        assert "Compression: NONE" in output and "Expansion: NONE" in output
    shown = s_client(port, "-showcerts")
    assert shown.count("BEGIN CERTIFICATE") == 2
    hint = re.search(r"ticket lifetime hint: (\d+)", s_client(port, "-tls1_2"))
    assert 0 < int(hint[1]) <= 3600


def accepted_ciphers(port, version, option, offered):
    """As scanners do it: offer all, strike out what was chosen, until nothing is."""
    accepted = []
    while offered:
        chosen = cipher_of(s_client(port, version, option, ":".join(offered)))
        if chosen in (None, "(NONE)"):
            break
        accepted.append(chosen)
        offered = [name for name in offered if name != chosen]
    return accepted


def test_only_ciphers_with_forward_secrecy_and_authenticated_encryption(secure):
    port = secure().tls_port
    listed = subprocess.run(["openssl", "ciphers", EVERYTHING], check=True, capture_output=True, text=True).stdout.strip()
    old = [name for name in listed.split(":") if not name.startswith("TLS_")]
    assert {"AES128-SHA", "ECDHE-ECDSA-AES128-SHA", "NULL-SHA256", "AES128-GCM-SHA256"} <= set(old)
    assert set(accepted_ciphers(port, "-tls1_2", "-cipher", [*old, "@SECLEVEL=0"])) == GOOD_12
    assert set(accepted_ciphers(port, "-tls1_3", "-ciphersuites", sorted(GOOD_13 | {"TLS_AES_128_CCM_SHA256"}))) == GOOD_13


def test_the_bridge_chooses_among_ciphers(secure):
    port = secure().tls_port
    names = ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES128-GCM-SHA256"]
    chosen = {cipher_of(s_client(port, "-tls1_2", "-cipher", ":".join(order))) for order in (names, names[::-1])}
    assert len(chosen) == 1


def test_renegotiation_is_refused(secure):
    # The client takes its time, or the end of its input overtakes the answer.
    process = subprocess.Popen(["openssl", "s_client", "-connect", f"127.0.0.1:{secure().tls_port}", "-tls1_2"],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    process.stdin.write("R\n")
    process.stdin.flush()
    said = []
    try:
        for line in process.stdout:
            said.append(line)
            if "no renegotiation" in line:
                return
    finally:
        process.kill()
        process.communicate()
    pytest.fail("".join(said))


def test_the_protocol_is_http_1_1(secure):
    port = secure().tls_port
    assert "ALPN protocol: http/1.1" in s_client(port, "-alpn", "h2,http/1.1")
    assert "No ALPN negotiated" in s_client(port)
    assert "no application protocol" in s_client(port, "-alpn", "h2")


def test_plain_http_at_the_port_with_tls_and_failures_are_counted(secure):
    bridge = secure()
    assert b"HTTP/" not in exchange(bridge.tls_port, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    bridge.wait_status(lambda status: status["tls"]["failed_handshakes"] == 1, "the failed handshake counted")
    line = eventually(lambda: bridge.logs("TLS handshakes failed"), "the failed handshake in the log")[0]
    assert line["count"] == 1 and "http request" in line["last"]


def hsts_of(answer):
    return re.findall(rb"^Strict-Transport-Security: (.*?)\r$", answer.split(b"\r\n\r\n")[0], re.MULTILINE)


@pytest.mark.parametrize("config, header", [({}, [b"max-age=2592000"]), ({"hsts": "1h"}, [b"max-age=3600"]), ({"hsts": "0s"}, [])])
def test_browsers_are_told_to_stay_with_tls_by_its_answers_only(secure, authority, config, header):
    bridge = secure(config)
    for target in ("/", "/api/status", "/nowhere"):
        request = f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        with socket.create_connection(("127.0.0.1", bridge.tls_port), timeout=TIMEOUT) as plain, \
                authority.client_context().wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(request)
            assert hsts_of(read_all(tls)) == header
        assert hsts_of(exchange(bridge.port, request)) == []


# --- a PROXY header ahead of it -------------------------------------------------------------------------------------------

class Proxied:
    """One TLS connection with bytes of a proxy ahead of it; with `at_once` the hello is in the same packet."""

    def __init__(self, port, context, header, at_once=False):
        self._sock = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT)
        self._from, self._to = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._from, self._to, server_hostname="localhost")
        if not at_once:
            self._sock.sendall(header)
            header = b""
        while True:
            try:
                self._tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._sock.sendall(header + self._to.read())
                header = b""
                self._receive()

    def _receive(self):
        got = self._sock.recv(65536)
        if not got:
            raise ConnectionError("closed")
        self._from.write(got)

    def ask(self, request, until=None):
        """What comes back, to the end, or as far as `until`."""
        self._tls.write(request)
        self._sock.sendall(self._to.read())
        answer = b""
        while until is None or until not in answer:
            try:
                got = self._tls.read(65536)
            except ssl.SSLWantReadError:
                self._receive()
                continue
            except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
                break
            if not got:
                break
            answer += got
        return answer

    def close(self):
        self._sock.close()


FROM_203 = b"PROXY TCP4 203.0.113.9 192.0.2.1 1 2\r\n"
FROM_203_V2 = (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c" + socket.inet_aton("203.0.113.9") + socket.inet_aton("192.0.2.1") +
               b"\0\1\0\2")
UNKNOWN = b"PROXY UNKNOWN\r\n"


@pytest.fixture
def passed_on(make_bridge, tmp_path, issued):
    """A bridge whose one listener has TLS behind a proxy that passes bytes on."""
    files = Pair(tmp_path / "files", issued)
    bridge = make_bridge({"listen": {"tls": True, "trusted_proxies": ["127.0.0.1"], "proxy_protocol": True},
                          "tls": {"certificate": str(files.certificate), "key": str(files.key)}}).launch()
    bridge.port = eventually(bridge._listening_port, "trestled listening")
    return bridge


@pytest.mark.parametrize("header", [FROM_203, FROM_203_V2])
@pytest.mark.parametrize("at_once", [False, True])
def test_a_proxy_header_comes_before_tls(passed_on, authority, closing, header, at_once):
    context = authority.client_context()
    client = closing(Proxied(passed_on.port, context, header, at_once))
    assert b" 101 " in client.ask(upgrade(f"/?token={passed_on.token}"), until=b"\r\n\r\n")
    asker = closing(Proxied(passed_on.port, context, UNKNOWN))
    answer = asker.ask(f"GET /api/status HTTP/1.0\r\nAuthorization: Bearer {passed_on.token}\r\n\r\n".encode())
    session, = json.loads(answer.split(b"\r\n\r\n", 1)[1])["data"]["sessions"]
    assert session["address"].startswith("203.0.113.9")


def test_without_the_header_or_with_it_inside_there_is_no_tls_connection(passed_on, authority, closing):
    context = authority.client_context()
    with pytest.raises((OSError, ssl.SSLError)):
        closing(Proxied(passed_on.port, context, b""))
    with pytest.raises((OSError, ssl.SSLError)):
        closing(Proxied(passed_on.port, context, b"PROXY TCP4 nonsense\r\n"))
    inside = closing(Proxied(passed_on.port, context, UNKNOWN))
    assert b" 400 " in inside.ask(FROM_203 + b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    good = closing(Proxied(passed_on.port, context, UNKNOWN))
    assert b" 200 " in good.ask(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")


def test_rsa_certificates_too(secure, authority):
    output = s_client(secure(pair=authority.issue("rsa", rsa=True)).tls_port, "-tls1_2", "-CAfile", authority.root)
    assert cipher_of(output).startswith("ECDHE-RSA-") and "Verify return code: 0 (ok)" in output


# --- certificates that change ---------------------------------------------------------------------------------------------

def test_a_new_certificate_for_new_connections_and_the_old_ones_go_on(secure, authority, wss, publisher):
    bridge = secure()
    context = authority.client_context()
    before = serial_seen(bridge.tls_port, context)
    old = wss(bridge, context)
    bridge.pair.install(authority.issue("second"))
    eventually(lambda: serial_seen(bridge.tls_port, context) != before, "the new certificate")
    new = wss(bridge, context)
    publisher(bridge).event({"type": "hello"})
    assert old.data()["type"] == new.data()["type"] == "hello"
    assert old.request("ping")["success"]
    assert not bridge.logs(STAYS)                                           # nor was half a pair read


def test_a_symlink_that_leads_elsewhere(trestled, authority, issued, tmp_path):
    """Kubernetes: the files are links through ..data, which is switched at once."""
    for name, pair in (("one", issued), ("two", authority.issue("linked"))):
        Pair(tmp_path / name, pair)
    (tmp_path / "..data").symlink_to("one")
    for name in ("tls.pem", "tls.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    port = free_port()
    trestled({"listen": [{"address": "127.0.0.1", "port": 0}, {"address": "127.0.0.1", "port": port, "tls": True}],
              "tls": {"certificate": str(tmp_path / "tls.pem"), "key": str(tmp_path / "tls.key")}})
    context = authority.client_context()
    before = serial_seen(port, context)
    (tmp_path / "..data.new").symlink_to("two")
    (tmp_path / "..data.new").rename(tmp_path / "..data")
    eventually(lambda: serial_seen(port, context) != before, "the new certificate")


def test_sighup_reads_it_again_at_once(secure):
    bridge = secure()
    for count in (1, 2):
        bridge.process.send_signal(signal.SIGHUP)
        eventually(lambda wanted=count: len(bridge.logs("certificate read again")) == wanted, "the certificate read again")


def test_a_broken_pair_leaves_the_one_before_and_is_told_once(secure, authority):
    bridge = secure()
    context = authority.client_context()
    before = serial_seen(bridge.tls_port, context)
    second, _ = authority.issue("mismatched")
    bridge.pair.install((second, authority.issue("other")[1]))
    line = eventually(lambda: bridge.logs(STAYS), "the mismatch in the log")[0]
    assert str(bridge.pair.key) in line["error"] and "does not belong" in line["error"]
    assert "does not belong" in bridge.status()["tls"]["trouble"]
    bridge.pair.certificate.write_text("no certificate\n")
    eventually(lambda: "no start line" in bridge.status()["tls"]["trouble"], "the broken file in the status")
    bridge.pair.key.unlink()
    eventually(lambda: len(bridge.logs(STAYS)) == 3, "the missing key looked for")
    assert serial_seen(bridge.tls_port, context) == before
    bridge.pair.install(authority.issue("mended"))
    eventually(lambda: serial_seen(bridge.tls_port, context) != before, "the mended pair")
    assert "trouble" not in bridge.status()["tls"]
    assert len(bridge.logs(STAYS)) == 3                                     # once for each, not at every look


def test_a_session_of_the_old_certificate_is_not_resumed(secure, authority, tmp_path):
    bridge = secure()
    ticket = tmp_path / "ticket"
    s_client(bridge.tls_port, "-tls1_2", "-sess_out", ticket)
    assert "Reused, TLSv1.2" in s_client(bridge.tls_port, "-tls1_2", "-sess_in", ticket)
    bridge.pair.install(authority.issue("third"))
    eventually(lambda: bridge.logs("certificate read again"), "the new certificate")
    assert "New, TLSv1.2" in s_client(bridge.tls_port, "-tls1_2", "-sess_in", ticket)


@pytest.mark.parametrize("days, message", [(3, "certificate expires soon"), (-1, "certificate has expired")])
def test_the_end_of_a_certificate_is_near_or_over(secure, authority, days, message):
    bridge = secure(pair=authority.issue(f"days{days}", days=days))
    line = eventually(lambda: bridge.logs(message), "a warning")[0]
    assert line["file"] == str(bridge.pair.certificate) and 0 <= line["days"] <= 3


def test_the_certificate_is_in_the_status(secure):
    bridge = secure()
    status = bridge.status()["tls"]
    assert status["name"] == "localhost" and status["failed_handshakes"] == 0 and "trouble" not in status
    days = (status["until"] - status["from"]) / 86_400_000_000
    assert round(days) == 20
    assert not bridge.logs("certificate expires soon")


def test_without_tls_the_status_says_nothing_of_it(bridge):
    assert "tls" not in bridge.status()


def test_a_key_for_everybody_is_refused_unless_it_is_meant(make_bridge, issued, tmp_path):
    files = Pair(tmp_path, issued)
    files.key.chmod(0o644)
    tls = {"certificate": str(files.certificate), "key": str(files.key)}
    bridge = make_bridge({"listen": {"tls": True}, "tls": tls}).launch()
    assert bridge.exit_code() == 2
    assert str(files.key) in bridge.stderr() and "chmod 600" in bridge.stderr() and "tls.insecure" in bridge.stderr()
    bridge.process = None
    meant = make_bridge({"listen": {"tls": True}, "tls": {**tls, "insecure": True}}).launch()
    eventually(lambda: meant.logs("listening"), "trestled listening")


# --- certificates of clients ----------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def clients(authority, tmp_path_factory):
    """Contexts: of a client with a certificate, with one of somebody else's authority, with none."""
    stranger = Authority(tmp_path_factory.mktemp("stranger"), "stranger")
    return {"known": authority.client_context(*authority.issue("client", subject="ops", san="")),
            "named": authority.client_context(*authority.issue("named", subject="x", san="email:ops@example.org")),
            "stranger": authority.client_context(*stranger.issue("client", subject="ops", san="")),
            "none": authority.client_context()}


def https(port, context, target="/healthz"):
    """The status; an OSError if there is no connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as tls:
        tls.sendall(f"GET {target} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        answer = tls.recv(4096)
    if not answer:
        raise ConnectionError("closed without an answer")
    return int(answer.split()[1])


def test_a_client_certificate_can_be_required(secure, authority, clients, wss):
    bridge = secure({"client_ca": str(authority.root)})
    for who in ("none", "stranger"):
        with pytest.raises(OSError):
            https(bridge.tls_port, clients[who])
    assert https(bridge.tls_port, clients["known"]) == 200
    client = wss(bridge, clients["known"])
    assert client.request("ping")["success"]
    session, = bridge.status()["sessions"]
    assert session["certificate"] == "ops" and session["identity"] == "static"
    assert bridge.logs("client certificate")[0]["certificate"] == "ops"
    assert wss(bridge, clients["named"]).request("ping")["success"]
    assert {session["certificate"] for session in bridge.status()["sessions"]} == {"ops", "ops@example.org"}


def test_it_does_not_stand_for_a_token(secure, authority, clients, wss):
    bridge = secure({"client_ca": str(authority.root)})
    assert https(bridge.tls_port, clients["known"], "/api/status") == 401
    assert wss(bridge, clients["known"], token="wrong").close_code() == 4401


def test_client_certificates_do_not_fill_the_log(secure, authority, clients, wss):
    """Good ones without a token, and bad ones: their failures are told together."""
    bridge = secure({"client_ca": str(authority.root)}, shards=1)
    lines = flood(bridge, "client certificate", lambda: wss(bridge, clients["known"], token="wrong").close_code())
    assert {line["certificate"] for line in lines} == {"ops"}
    started = time.monotonic()
    for _ in range(50):
        with pytest.raises(OSError):
            https(bridge.tls_port, clients["stranger"])
    told = eventually(lambda: bridge.logs("TLS handshakes failed"), "the failures in the log")
    assert len(told) <= 2 + (time.monotonic() - started) / 10
    bridge.wait_status(lambda status: status["tls"]["failed_handshakes"] == 50, "all of them are counted")


def test_a_client_certificate_can_be_optional(secure, authority, clients):
    bridge = secure({"client_ca": str(authority.root), "client_certificate": "optional"})
    assert https(bridge.tls_port, clients["none"]) == https(bridge.tls_port, clients["known"]) == 200
    with pytest.raises(OSError):
        https(bridge.tls_port, clients["stranger"])


def test_a_plain_listener_beside_it_asks_for_none(secure, authority):
    assert secure({"client_ca": str(authority.root)}).http("/healthz")[0] == 200


def put(target, content):
    beside = target.with_suffix(".beside")
    beside.write_bytes(content)
    beside.chmod(0o600)
    beside.rename(target)


@pytest.fixture
def guarded(secure, authority, tmp_path):
    """A bridge whose clients need a certificate of `authority`."""
    client_ca = tmp_path / "client_ca.pem"
    put(client_ca, authority.root.read_bytes())
    bridge = secure({"client_ca": str(client_ca)})
    bridge.client_ca = client_ca
    return bridge


def test_a_broken_client_ca_keeps_no_certificate_from_being_renewed_and_lets_nobody_in(guarded, authority, clients):
    before = serial_seen(guarded.tls_port, clients["known"])
    put(guarded.client_ca, b"no certificate\n")
    line = eventually(lambda: guarded.logs("client_ca stays as it was"), "the fault in the log")[0]
    assert "tls.client_ca: " in line["error"] and str(guarded.client_ca) in line["error"]
    guarded.pair.install(authority.issue("renewed"))
    eventually(lambda: serial_seen(guarded.tls_port, clients["known"]) != before, "the new certificate")
    assert "no start line" in guarded.status()["tls"]["trouble"] and not guarded.logs(STAYS)
    for who in ("none", "stranger"):
        with pytest.raises(OSError):
            https(guarded.tls_port, clients[who])
    put(guarded.client_ca, authority.root.read_bytes())
    guarded.wait_status(lambda status: "trouble" not in status["tls"], "the file is mended")
    assert https(guarded.tls_port, clients["known"]) == 200


def test_a_broken_pair_keeps_no_authority_from_being_taken_off(guarded, clients, tmp_path):
    guarded.pair.key.unlink()
    eventually(lambda: guarded.logs(STAYS), "the fault in the log")
    assert https(guarded.tls_port, clients["known"]) == 200
    put(guarded.client_ca, Authority(tmp_path, "other").root.read_bytes())

    def refused():
        try:
            return https(guarded.tls_port, clients["known"]) is None
        except OSError:
            return True
    eventually(refused, "the authority is taken off")
    assert "No such file" in guarded.status()["tls"]["trouble"] and not guarded.logs("client_ca stays as it was")


# --- pressure -------------------------------------------------------------------------------------------------------------

def frames_of(tls):
    """The payloads of the server's text frames, as they come."""
    stream = tls.makefile("rb")
    while True:
        first, length = stream.read(2)
        if length == 126:
            length, = struct.unpack(">H", stream.read(2))
        elif length == 127:
            length, = struct.unpack(">Q", stream.read(8))
        payload = stream.read(length)
        if first & 0x0F == 1:
            yield payload


def test_a_slow_client_gets_whole_frames_when_newer_events_take_the_place_of_waiting_ones(secure, authority, publisher):
    """A record that is half out can't be taken back, whatever becomes of the event it was made of."""
    bridge = secure(session={"queue": "256KiB", "stall": "60s"}, topics=[{"match": "state", "keep": "latest"}])
    plain = socket.socket()
    plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    plain.settimeout(TIMEOUT)
    plain.connect(("127.0.0.1", bridge.tls_port))
    with authority.client_context().wrap_socket(plain, server_hostname="localhost") as tls:
        target = bridge.ws_url(port=bridge.tls_port, meta=1).split(str(bridge.tls_port), 1)[1]
        tls.sendall(upgrade(target))
        head = b""
        while b"\r\n\r\n" not in head:
            head += tls.recv(1)
        frames = frames_of(tls)
        while json.loads(next(frames))["data"]["type"] != "live":
            pass
        events = publisher(bridge)
        for n in range(1_500):
            events.event({"type": "state", "n": n, "pad": "x" * (n * 379 % 20_000)})
        bridge.wait_status(lambda status: status["counters"]["events"] >= 1_500, "all events in")
        assert bridge.status()["pressure"]["state"]["replaced"] > 0
        seen = []
        while not seen or seen[-1] != 1_499:
            data = json.loads(next(frames))["data"]
            if data["type"] == "state":
                assert len(data["pad"]) == data["n"] * 379 % 20_000
                seen.append(data["n"])
    assert seen == sorted(set(seen)) and len(seen) < 1_500
