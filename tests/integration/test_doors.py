"""Who is let in: web pages, proxies and what they say, too many connections, too many wrong tokens."""
import contextlib
import itertools
import json
import socket
import struct
import time

import pytest

from harness.flood import flood
from harness.raw import RawWebSocket, connect as open_socket, exchange, read_all, status_of, upgrade
from harness.wait import PATIENCE, TIMEOUT, eventually

PROXIED = {"listen": {"trusted_proxies": ["127.0.0.1"]}}
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"


def target(bridge, token=None):
    return "/?token=" + (bridge.token if token is None else token)


def counters(bridge):
    return bridge.status()["counters"]


def joins(bridge, *headers, token=None, host=None):
    """The close code of a session with these headers, or 0 when it is let in; 429 and the like without one."""
    request = upgrade(target(bridge, token), headers=headers)
    if host:
        request = request.replace(b"Host: 127.0.0.1", b"Host: " + host.encode())
    with open_socket(bridge.port) as sock:
        sock.sendall(request)
        answer = b""
        while b"\r\n\r\n" not in answer:
            more = sock.recv(4096)
            assert more, answer
            answer += more
        head, rest = answer.split(b"\r\n\r\n", 1)
        if status_of(head) != 101:
            return status_of(head)
        sock.sendall(b"\x89\x80" + bytes(4))                        # a ping: its pong comes unless we are closed
        while True:
            while len(rest) < 4 and rest[:1] != b"\x8a":
                more = sock.recv(4096)
                assert more, rest
                rest += more
            if rest[0] == 0x8A:
                return 0
            size = rest[1]
            assert size < 126, rest
            while len(rest) < 2 + size:
                rest += sock.recv(4096)
            if rest[0] == 0x88:
                return struct.unpack(">H", rest[2:4])[0]
            rest = rest[2 + size:]


# --- pages ----------------------------------------------------------------------------------------------------------------

def test_with_a_list_only_its_pages_may_connect(trestled):
    bridge = trestled({"listen": {"origins": ["https://a.example", "https://*.b.example"]}})
    assert joins(bridge) == 0                                       # no browser
    assert joins(bridge, "Origin: https://a.example") == 0
    assert joins(bridge, "Origin: https://x.b.example") == 0
    for other in ("http://a.example", "https://a.example:444", "https://b.example", "null", "garbage"):
        assert joins(bridge, f"Origin: {other}") == 4403, other
    assert joins(bridge, "Origin: https://a.example", "Origin: https://c.example") == 4403
    assert counters(bridge)["bad_origin"] == 6


def test_without_tokens_only_the_bridges_own_pages_may_connect(trestled):
    bridge = trestled({"listen": {"auth": "none"}})
    own = f"localhost:{bridge.port}"
    assert joins(bridge, token="") == 0
    assert joins(bridge, f"Origin: http://{own}", token="", host=own) == 0
    assert joins(bridge, "Origin: http://localhost:1", token="", host=own) == 4403
    assert joins(bridge, "Origin: https://evil.example", token="", host=own) == 4403
    rebound = f"evil.example:{bridge.port}"                         # a page whose name was given our address
    assert joins(bridge, f"Origin: http://{rebound}", token="", host=rebound) == 4403
    refused = bridge.logs("a web page may not connect: if it should, put its origin into listen.origins")[-1]
    assert refused["host"] == rebound and refused["origin"] == f"http://{rebound}"
    assert joins(bridge, "Origin: https://evil.example", host=own) == 4403, "its token is not looked at"
    assert joins(bridge, "Origin: https://evil.example", token="wrong", host=own) == 4403


def test_without_tokens_no_name_that_others_could_give_our_address_is_our_own(trestled):
    """DNS rebinding, seen from another machine; the list is the way out for a name that is meant."""
    listen = {"auth": "none", "trusted_proxies": ["127.0.0.1"]}
    other_machine = "X-Forwarded-For: 203.0.113.1"
    bridge = trestled({"listen": listen})
    for own in (f"192.0.2.2:{bridge.port}", f"[2001:db8::1]:{bridge.port}", f"localhost:{bridge.port}"):
        assert joins(bridge, other_machine, f"Origin: http://{own}", token="", host=own) == 0, own
    rebound = f"evil.example:{bridge.port}"
    assert joins(bridge, other_machine, f"Origin: http://{rebound}", token="", host=rebound) == 4403
    assert counters(bridge)["bad_origin"] == 1
    named = trestled({"listen": {**listen, "origins": ["http://dashboard.example"]}})
    page = "Origin: http://dashboard.example"
    assert joins(named, other_machine, page, token="", host="dashboard.example") == 0


def test_strangers_do_not_fill_the_log(trestled, closing):
    """Lines have a length and a rate, whatever comes; each says how many were left out before it."""
    bridge = trestled({"listen": {"origins": ["https://a.example"]}, "shards": 1})
    origin, count = "Origin: http://" + "a" * 15000, 100
    kinds = ("session refused", "a web page may not connect: if it should, put its origin into listen.origins")
    before, started = len(bridge.output()), time.monotonic()
    assert {joins(bridge, origin, token="") for _ in range(count)} == {4403}
    took = time.monotonic() - started
    lines = [bridge.logs(kind) for kind in kinds]
    for of_kind in lines:
        assert 4 <= len(of_kind) <= 5 + took, took
    assert len(bridge.output()) - before < 1000 * sum(map(len, lines))
    assert counters(bridge)["bad_origin"] == counters(bridge)["refused"] == count
    time.sleep(1.1)                                                 # until there may be a line again
    assert joins(bridge, origin, token="") == 4403
    for kind in kinds:
        said = eventually(lambda: [line for line in bridge.logs(kind) if line["left_out"]], kind)
        assert len(bridge.logs(kind)) + sum(line["left_out"] for line in said) == count + 1


# --- proxies --------------------------------------------------------------------------------------------------------------

def address_of_session(bridge, *headers):
    ws = RawWebSocket(bridge.port, target(bridge), headers=headers)
    with contextlib.closing(ws):
        session, = bridge.wait_status(lambda status: status["sessions_total"] == 1 and status["sessions"], "the session")
    bridge.wait_status(lambda status: status["sessions_total"] == 0, "gone again")
    return session["address"]


def test_a_trusted_proxys_word_about_an_address_counts(trestled):
    bridge = trestled({"listen": {"trusted_proxies": ["127.0.0.1", "10.0.0.0/8"]}})
    assert address_of_session(bridge, "X-Forwarded-For: 203.0.113.9") == "203.0.113.9"
    assert address_of_session(bridge, "X-Forwarded-For: 1.2.3.4, 203.0.113.9, 10.1.1.1") == "203.0.113.9"
    assert address_of_session(bridge, "X-Forwarded-For: 1.2.3.4", "x-forwarded-for: [2001:db8::9]:4711") == "2001:db8::9"
    for useless in ("unknown", "", "203.0.113.9, rubbish", "10.2.2.2", "," * 1000):
        assert address_of_session(bridge, f"X-Forwarded-For: {useless}") == "127.0.0.1", useless


def test_others_may_say_what_they_like(bridge):
    assert address_of_session(bridge, "X-Forwarded-For: 203.0.113.9") == "127.0.0.1"


def proxied(bridge, header):
    """(status, address of the session) of a WebSocket that starts with this header."""
    with open_socket(bridge.port) as sock:
        for byte in header[:20]:
            sock.sendall(bytes([byte]))                             # in pieces, then all at once
        sock.sendall(header[20:] + upgrade(target(bridge)))
        answer = sock.recv(4096)
        if not answer:
            return 0, None
        return status_of(answer), session_seen_by_proxy(bridge)["address"]


def local_status(bridge):
    """/api/status where every connection needs a PROXY header: as a proxy's own check asks for it."""
    answer = exchange(bridge.port, SIGNATURE + b"\x20\x00\x00\x00" +
                      f"GET /api/status HTTP/1.0\r\nAuthorization: Bearer {bridge.token}\r\n\r\n".encode())
    return json.loads(answer.split(b"\r\n\r\n", 1)[1])["data"]


def session_seen_by_proxy(bridge):
    return eventually(lambda: local_status(bridge)["sessions"], "the session")[0]


def behind_proxy(make_bridge, **listen):
    bridge = make_bridge({"listen": {"trusted_proxies": ["127.0.0.1"], "proxy_protocol": True, **listen}}).launch()
    bridge.port = eventually(bridge._listening_port, "trestled listening")
    return bridge


def test_proxy_headers_say_whom_a_connection_is_from(make_bridge):
    bridge = behind_proxy(make_bridge)
    four = SIGNATURE + b"\x21\x11\x00\x0c" + socket.inet_aton("203.0.113.9") + socket.inet_aton("192.0.2.1") + b"\0\1\0\2"
    tlv = b"\x04\x00\x03abc"
    six = SIGNATURE + b"\x21\x21" + struct.pack(">H", 36 + len(tlv)) + socket.inet_pton(socket.AF_INET6, "2001:db8::9") + \
        bytes(20) + tlv
    for header, address in ((four, "203.0.113.9"), (six, "2001:db8::9"),
                            (b"PROXY TCP4 203.0.113.8 192.0.2.1 1 2\r\n", "203.0.113.8"),
                            (SIGNATURE + b"\x20\x00\x00\x00", "127.0.0.1"), (b"PROXY UNKNOWN\r\n", "127.0.0.1")):
        assert proxied(bridge, header) == (101, address)
        eventually(lambda: local_status(bridge)["sessions_total"] == 0, "gone again")
    for wrong in (b"", b"PROXY TCP4 nonsense\r\n", SIGNATURE + b"\x31\x11\0\0", SIGNATURE + b"\x21\x11\xff\xff"):
        with open_socket(bridge.port) as sock:
            sock.sendall(wrong + b"GET /healthz HTTP/1.0\r\n\r\n")
            assert read_all(sock) == b"", wrong
    assert local_status(bridge)["counters"]["turned_away"] == 4


def test_half_a_proxy_header_costs_nothing_and_ends_in_time(make_bridge):
    bridge = make_bridge({"listen": {"trusted_proxies": ["127.0.0.1"], "proxy_protocol": True},
                          "limits": {"handshake": "1s"}}).launch()
    bridge.port = eventually(bridge._listening_port, "trestled listening")
    with open_socket(bridge.port) as sock:
        sock.sendall(SIGNATURE[:5])
        before = cpu_seconds(bridge)
        assert read_all(sock) == b""
        assert cpu_seconds(bridge) - before < 0.3 * PATIENCE, "it spins"
    assert local_status(bridge)["counters"]["timed_out"] == 1


def cpu_seconds(bridge):
    with open(f"/proc/{bridge.pid}/stat", encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def test_strangers_are_refused_where_a_proxy_should_be(make_bridge):
    bridge = make_bridge({"listen": {"trusted_proxies": ["192.0.2.1"], "proxy_protocol": True}}).launch()
    bridge.port = eventually(bridge._listening_port, "trestled listening")
    with open_socket(bridge.port) as sock:
        with contextlib.suppress(OSError):
            sock.sendall(SIGNATURE + b"\x20\x00\x00\x00" + b"GET /healthz HTTP/1.0\r\n\r\n")
        assert read_all(sock) == b""
    assert bridge.logs("a connection was turned away, with others perhaps: see turned_away in /api/status")[0]["reason"] == \
        "not a trusted proxy"


# --- numbers --------------------------------------------------------------------------------------------------------------

def test_behind_a_proxy_each_client_has_its_own_limit(trestled, closing):
    bridge = trestled({**PROXIED, "limits": {"per_address": 2}})
    for address in ("203.0.113.1", "203.0.113.2", "2001:db8:0:1::1"):
        for _ in range(2):
            closing(RawWebSocket(bridge.port, target(bridge), headers=[f"X-Forwarded-For: {address}"]))
        assert joins(bridge, f"X-Forwarded-For: {address}") == 4429
    assert joins(bridge, "X-Forwarded-For: 2001:db8:0:1:ffff::7") == 4429, "the same /64"
    assert joins(bridge, "X-Forwarded-For: 2001:db8:0:2::1") == 0
    assert joins(bridge) == 0, "the proxy itself has no limit of its own"


def test_far_over_the_limit_is_a_bare_429(trestled, closing):
    # The time of a handshake is over for none of them meanwhile, however slow the machine: it would give their places back.
    bridge = trestled({"limits": {"per_address": 4, "handshake": "10m"}})
    idle = [closing(open_socket(bridge.port)) for _ in range(30)]   # they say nothing: no session, and still connections
    assert joins(bridge) == 0
    crowd = [closing(open_socket(bridge.port)) for _ in range(10)]
    assert status_of(read_all(crowd[-1])) == 429
    for sock in idle + crowd:
        sock.close()
    eventually(lambda: bridge.healthy(), "room again")
    assert counters(bridge)["turned_away"] >= 4


def test_half_open_connections_take_no_health_check_away(trestled, closing):
    """Loopback keeps the last places of the total; strangers, here 127.0.0.2 in front of a proxy, don't get them."""
    bridge = trestled({"listen": {"trusted_proxies": ["127.0.0.2"]}, "limits": {"connections": 4, "handshake": "10m"}})
    for _ in range(50):
        sock = closing(socket.socket())
        sock.settimeout(TIMEOUT)
        sock.bind(("127.0.0.2", 0))
        sock.connect(("127.0.0.1", bridge.port))
    assert status_of(read_all(sock)) == 503
    assert bridge.healthy()


def test_the_handshake_has_its_time(trestled, closing):
    bridge = trestled({"limits": {"handshake": "500ms"}})
    sock = closing(open_socket(bridge.port))
    sock.sendall(b"GET / HTTP/1.1\r\n")
    assert read_all(sock) == b""
    assert counters(bridge)["timed_out"] == 1


def test_pings_are_requests(trestled, closing):
    bridge = trestled({"limits": {"requests_per_second": 5}})
    ws = closing(RawWebSocket(bridge.port, target(bridge)))
    for _ in range(50):
        ws.send(ws.PING, b"x")
    assert ws.close_code() == 4429


# --- wrong tokens ---------------------------------------------------------------------------------------------------------

def test_who_guesses_tokens_has_to_wait(trestled):
    bridge = trestled({**PROXIED, "limits": {"failed_auth": 3}})
    guesser, neighbour = "X-Forwarded-For: 203.0.113.1", "X-Forwarded-For: 203.0.113.2"
    assert [joins(bridge, guesser, token=f"guess-{n}") for n in range(3)] == [4401] * 3
    assert joins(bridge, guesser, token="guess-4") == 429
    assert joins(bridge, guesser) == 429, "a good token is not looked at either: it would tell which guess was right"
    assert bridge.http("/api/status", token=bridge.token, headers=dict([guesser.split(": ")]))[0] == 429
    assert bridge.http("/healthz", headers=dict([guesser.split(": ")]))[0] == 200
    assert joins(bridge, neighbour) == 0 and joins(bridge) == 0
    seen = counters(bridge)
    assert seen["auth_failed"] == 3 and seen["backed_off"] == 3
    waits = bridge.logs("too many unknown tokens from one address, it has to wait")
    assert [(line["address"], line["wait_ms"]) for line in waits] == [("203.0.113.1", 1000)]
    eventually(lambda: joins(bridge, guesser) == 0, "let in again")
    assert joins(bridge, guesser, token="wrong") == 4401, "forgiven"


@pytest.mark.parametrize("way", ["status", "message"])
def test_every_way_in_counts(trestled, connect, way):
    bridge = trestled({**PROXIED, "limits": {"failed_auth": 3}})
    headers = {"X-Forwarded-For": "2001:db8:0:1::1"}
    for n in range(3):
        if way == "status":
            assert bridge.http("/api/status", token=f"guess-{n}", headers=headers)[0] == 401
        else:
            client = connect(bridge, token=None, extra_headers=headers)
            client.send({"type": "auth", "id": 1, "token": f"guess-{n}"})
            assert client.close_code() == 4401
    assert joins(bridge, "X-Forwarded-For: 2001:db8:0:1:ffff::7") == 429, "the same /64"


def test_guesses_on_a_session_that_is_open_count(trestled, connect):
    bridge = trestled({**PROXIED, "limits": {"failed_auth": 3}})
    client = connect(bridge, extra_headers={"X-Forwarded-For": "203.0.113.1"})
    codes = [client.request("auth", token=f"guess-{n}")["data"]["code"] for n in range(4)]
    assert codes == ["unauthorized"] * 3 + ["too_many"]


def test_this_machine_never_waits(trestled):
    """Behind a proxy that nobody told us of everybody seems to be this machine."""
    bridge = trestled({"limits": {"failed_auth": 3}})
    assert [joins(bridge, token="wrong") for _ in range(10)] == [4401] * 10
    assert joins(bridge) == 0


def test_no_token_is_no_guess(trestled):
    bridge = trestled({**PROXIED, "limits": {"failed_auth": 3}, "auth": {"timeout": "100ms"}})
    for _ in range(5):
        assert bridge.http("/api/status", headers={"X-Forwarded-For": "203.0.113.1"})[0] == 401
    assert joins(bridge, "X-Forwarded-For: 203.0.113.1") == 0


def test_a_token_that_nobody_asked_for_is_no_guess(trestled, connect):
    """A page that shows a stale one everywhere locks nobody out, and finds out nothing about it."""
    bridge = trestled({**PROXIED, "limits": {"failed_auth": 3},
                       "endpoints": [{"path": "/"}, {"path": "/open", "auth": "none"}]})
    here = {"X-Forwarded-For": "203.0.113.1"}
    for token in [f"stale-{n}" for n in range(5)] + [bridge.token]:
        client = connect(bridge, path="/open", token=token, extra_headers=here)
        assert client.request("status")["data"]["identity"] == "anonymous"
    assert joins(bridge, "X-Forwarded-For: 203.0.113.1") == 0
    for n in range(3):
        assert not client.request("auth", token=f"guess-{n}")["success"]
    assert joins(bridge, "X-Forwarded-For: 203.0.113.1") == 429
    client = connect(bridge, path="/open", token="stale", extra_headers=here)
    assert client.request("status")["success"], "who needs no token never waits for one"
    assert counters(bridge)["auth_failed"] == 3


def test_without_authentication_the_status_is_what_anybody_may_read(trestled, publisher):
    bridge = trestled({**PROXIED, "limits": {"failed_auth": 3}, "auth": {"enabled": False, "token": None}})
    publisher(bridge).event({"type": "queue-update"})
    here = {"X-Forwarded-For": "203.0.113.1"}
    bridge.wait_status(lambda status: [topic["topic"] for topic in status["topics"]] == ["queue-update"], "the topic")
    for token in [None] + [f"stale-{n}" for n in range(5)]:
        status, body = bridge.http("/api/status", token=token, headers=here)
        assert status == 200 and "sessions" not in json.loads(body)["data"]
    assert joins(bridge, "X-Forwarded-For: 203.0.113.1", token="stale") == 0
    assert counters(bridge)["auth_failed"] == 0


def test_without_authentication_no_page_of_others_gets_the_status(trestled):
    bridge = trestled({"auth": {"enabled": False, "token": None}})
    own, rebound = f"localhost:{bridge.port}", f"evil.example:{bridge.port}"
    for headers, code in [({"Host": own}, 200), ({"Host": own, "Origin": f"http://{own}"}, 200), ({"Host": rebound}, 403),
                          ({"Host": own, "Origin": "https://evil.example"}, 403)]:
        assert bridge.http("/api/status", headers=headers)[0] == code, headers


def test_addresses_that_have_to_wait_do_not_fill_the_log(trestled):
    """Each address makes one line: of IPv6 there are as many as one likes."""
    bridge = trestled({**PROXIED, "limits": {"failed_auth": 1}, "shards": 1})
    blocks = itertools.count(1)

    def guess():
        here = {"X-Forwarded-For": f"2001:db8:0:{next(blocks):x}::1"}
        assert [bridge.http("/api/status", token="wrong", headers=here)[0] for _ in range(2)] == [401, 429]
    flood(bridge, "too many unknown tokens from one address, it has to wait", guess, 50)
