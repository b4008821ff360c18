"""The HTTP side of the port."""
import contextlib
import json
import os

import pytest

from harness.bridge import TOKEN
from harness.flood import flood
from harness.raw import connect, exchange, read_all, status_of, upgrade
from harness.wait import PATIENCE


def get(bridge, target, version="1.1", headers=()):
    lines = [f"GET {target} HTTP/{version}", *(["Host: 127.0.0.1"] if version == "1.1" else []), *headers, "", ""]
    return exchange(bridge.port, "\r\n".join(lines).encode())


def test_healthz(bridge):
    assert bridge.http("/healthz")[0] == 200


def test_the_page_needs_no_token_and_holds_no_data(bridge):
    code, body = bridge.http("/")
    assert code == 200 and "<html" in body.lower()
    assert TOKEN not in body


def test_status_needs_a_token(bridge):
    assert bridge.http("/api/status")[0] == 401
    assert bridge.http("/api/status", token="wrong")[0] == 401
    assert bridge.http("/api/status", token=TOKEN)[0] == 200
    assert bridge.http("/api/status?token=" + TOKEN)[0] == 200


def test_status_says_who_and_what(bridge, connect, publisher):
    client = connect(bridge, topics="queue-update,command-progress.*", meta="1")
    client.until("live")
    publisher(bridge).event({"type": "queue-update", "n": 1})
    client.until("queue-update")
    bridge.wait_status(lambda status: status["topics_total"] == 1, "the topic at every shard")
    status = bridge.status()
    assert status["state"] == "ok" and status["version"] and status["epoch"].isdigit()
    assert status["offset"] >= 1 and status["uptime_s"] >= 0
    assert status["sessions_total"] == 1
    session = status["sessions"][0]
    assert {"id", "address", "identity", "endpoint", "format", "meta", "topics", "since", "sent", "bytes",
            "queued"} <= set(session)
    assert session["meta"] is True and session["endpoint"] == "/" and session["format"] == "envelope"
    assert sorted(session["topics"]) == ["command-progress.*", "queue-update"]
    assert session["address"].startswith("127.0.0.1") and session["sent"] >= 1
    assert [topic["topic"] for topic in status["topics"]] == ["queue-update"] and status["topics_total"] == 1
    assert {"events_in", "deliveries", "bytes_out"} <= set(status["rates"])
    assert isinstance(status["counters"], dict) and isinstance(status["rejections"], dict)


def test_a_session_that_left_is_not_counted(bridge, connect):
    connect(bridge).close()
    bridge.wait_status(lambda status: status["sessions_total"] == 0, "the session gone")


def test_unknown_paths(bridge):
    for path in ("/nowhere", "/healthz/more", "/../etc/passwd", "/%2e%2e/etc/passwd", "//"):
        assert status_of(get(bridge, path)) == 404, path
    assert bridge.http("/nowhere", method="POST", body="x")[0] in (404, 405)


def test_a_plain_request_for_an_endpoint_is_told_to_upgrade(bridge):
    for path in ("/ws", "/plugin/ws?topics=a"):
        answer = get(bridge, path)
        assert status_of(answer) == 426 and b"this is a WebSocket endpoint" in answer, path
        for line in (b"Upgrade: websocket", b"Connection: close, Upgrade", b"Sec-WebSocket-Version: 13"):
            assert b"\r\n" + line + b"\r\n" in answer
    assert bridge.http("/")[0] == 200                                # an endpoint too, but also the page


def test_wrong_methods(bridge):
    for method in ("DELETE", "PUT", "POST"):
        assert bridge.http("/healthz", method=method, body="")[0] == 405, method


def test_head_has_no_body(bridge):
    answer = exchange(bridge.port, b"HEAD /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert status_of(answer) == 200 and answer.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("body", [b"", b"Content-Length: 0\r\n", b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n"])
@pytest.mark.parametrize("method", [b"POST", b"DELETE", b"PUT", b"OPTIONS"])
def test_a_method_that_no_path_takes_is_405_whatever_of_a_body_there_is(bridge, method, body):
    for path in (b"/healthz", b"/api/status", b"/ws", b"/nowhere"):
        answer = exchange(bridge.port, method + b" " + path + b" HTTP/1.1\r\nHost: x\r\n" + body + b"\r\n")
        assert status_of(answer) == 405 and b"\r\nAllow: GET, HEAD\r\n" in answer, path


def test_a_body_in_chunks_is_411_where_one_with_a_length_is_passed_over(bridge):
    for method in (b"GET", b"HEAD"):
        head = method + b" /healthz HTTP/1.1\r\nHost: x\r\n"
        assert status_of(exchange(bridge.port, head + b"Content-Length: 5\r\n\r\nhello")) == 200
        assert status_of(exchange(bridge.port, head + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n")) == 411


@pytest.mark.parametrize("length", ["-1", "12x", "99999999999999999999999", ""])
def test_a_nonsensical_length(bridge, length):
    request = f"POST /api/status HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
    assert status_of(exchange(bridge.port, request)) in (400, 411, 413)


def test_a_body_over_the_limit_is_refused_before_it_is_sent(trestled):
    bridge = trestled({"limits": {"body": "1KiB"}})
    request = b"POST /api/status HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n"
    assert status_of(exchange(bridge.port, request)) == 413


def test_bodies_that_no_path_takes_are_not_kept(bridge, closing):
    """The answer is there before the body is, and what comes of it costs no memory."""
    head = b"%s /nowhere HTTP/1.1\r\nHost: x\r\nContent-Length: 2097152\r\n\r\n"
    body = bytes(2_000_000)
    before = resident(bridge)
    for method, status in ((b"POST", 405), (b"PUT", 405), (b"GET", 404)):
        waiting = closing(connect(bridge.port))
        waiting.sendall(head % method)
        assert status_of(read_all(waiting)) == status
    crowd = [closing(connect(bridge.port)) for _ in range(60)]
    for sock in crowd:
        with contextlib.suppress(OSError):                          # after a second the bridge hangs up
            sock.sendall(head % b"POST" + body)
    assert resident(bridge) - before < 40_000_000, "it keeps the bodies"
    assert status_of(exchange(bridge.port, head % b"POST" + body[:100_000])) == 405
    assert bridge.healthy()


def resident(bridge):
    with open(f"/proc/{bridge.pid}/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def test_a_handshake_with_a_body_is_none(bridge, closing):
    sock = closing(connect(bridge.port))
    sock.sendall(upgrade("/?token=" + TOKEN, headers=["Content-Length: 30000000"]))
    assert status_of(read_all(sock)) in (400, 413)
    sock = closing(connect(bridge.port))
    sock.sendall(upgrade("/?token=" + TOKEN, headers=["Content-Length: 1000000"]))
    assert status_of(read_all(sock)) == 400


def test_http_1_0(bridge):
    answer = get(bridge, "/healthz", version="1.0")
    assert status_of(answer) == 200


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_who_needs_no_token_asks_by_an_address_in_either_version(trestled, version):
    """HTTP/1.0 may leave Host out; a name that others could have given our address is refused all the same."""
    bridge = trestled({"auth": {"enabled": False}})

    def asks(host):
        lines = [f"GET /api/status HTTP/{version}", *([host] if host else []), "", ""]
        return status_of(exchange(bridge.port, "\r\n".join(lines).encode()))
    assert [asks(host) for host in ("Host: 127.0.0.1", f"host: localhost:{bridge.port}", "HOST:[::1]")] == [200] * 3
    assert asks("Host: evil.example") == 403
    assert asks(None) == (200 if version == "1.0" else 400)


@pytest.mark.parametrize("line", [
    b"X-A : b", b"X-A\t: b", b": b", b"X-A: b\0", b"X-A: b\rHost: b", b"X-A: b\nHost: b", b"X-A: b\r\n c", b"\tX-A: b",
    b"HOST: b", b"Host:", b"X-A", b"X(A): b", b"Content-Length:", b"Content-Length: 1\r\nContent-Length: 1",
    b"Transfer-Encoding: chunked\r\nContent-Length: 1"])
def test_a_head_that_could_be_read_in_two_ways_is_refused(bridge, line):
    """RFC 9112: what a proxy in front may understand otherwise; as a request, and as a handshake."""
    before = bridge.status()["counters"]["bad_requests"]
    plain = b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    handshake = upgrade("/?token=" + TOKEN)
    for request in (plain, handshake):
        assert status_of(exchange(bridge.port, request[:-2] + line + b"\r\n\r\n")) == 400, request
    assert bridge.status()["counters"]["bad_requests"] == before + 2


@pytest.mark.parametrize("line", ["GET /healthz HTTP/1.2", "GET /healthz HTTP/2.0", "GET /healthz HTTP/1.10", "GET /healthz http/1.1",
                                  "GET /healthz HTTP/1.1 x", "GET /healthz  HTTP/1.1", "GET /x HTTP/1.0/y HTTP/1.1", "GET /healthz",
                                  " /healthz HTTP/1.1"])
def test_a_first_line_that_is_none_is_refused(bridge, line):
    assert status_of(exchange(bridge.port, line.encode() + b"\r\nHost: 127.0.0.1\r\n\r\n")) == 400


def test_requests_that_are_none_do_not_fill_the_log(trestled):
    bridge = trestled({"shards": 1})
    secret = b"GET /?token=SECRET HTTP/1.1\r\nHost: a\r\nHost: SECRET\r\n\r\n"
    lines = flood(bridge, "request refused", lambda: exchange(bridge.port, secret))
    assert {(line["status"], line["why"]) for line in lines} == {(400, "more than one Host")}
    assert "SECRET" not in bridge.output()
    assert bridge.status()["counters"]["bad_requests"] == 101


def test_every_answer_says_that_the_connection_ends(bridge):
    for path in ("/healthz", "/", "/nowhere", "/api/status"):
        assert b"connection: close" in get(bridge, path).lower(), path


def test_answers_are_as_long_as_they_say(bridge):
    for path in ("/", "/healthz", "/nowhere", "/api/status?token=" + TOKEN):
        head, body = get(bridge, path).split(b"\r\n\r\n", 1)
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        assert int(length[0].split(b":")[1]) == len(body), path


@pytest.mark.parametrize("version", [0, 7, 8, 12, 14, 99])
def test_other_websocket_versions_are_told_the_right_one(bridge, version):
    answer = exchange(bridge.port, upgrade("/?token=" + TOKEN, version=version))
    assert status_of(answer) == 426
    assert b"sec-websocket-version: 13" in answer.lower()
    assert b"\r\nUpgrade: websocket\r\n" in answer and b"\r\nConnection: close, Upgrade\r\n" in answer


def test_an_upgrade_without_a_version_is_not_the_old_protocol(bridge):
    request = (b"GET /?token=" + TOKEN.encode() + b" HTTP/1.1\r\nHost: x\r\nUpgrade: WebSocket\r\nConnection: Upgrade\r\n"
               b"Sec-WebSocket-Key1: 4 @1  46546xW%0l 1 5\r\nSec-WebSocket-Key2: 12998 5 Y3 1  .P00\r\n\r\n^n:ds[4U")
    assert status_of(exchange(bridge.port, request)) in (400, 426)


def test_an_upgrade_without_a_key_is_refused(bridge):
    request = (b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
               b"Sec-WebSocket-Version: 13\r\n\r\n")
    assert status_of(exchange(bridge.port, request)) == 400


def test_an_upgrade_of_an_unknown_path_is_404(bridge):
    assert status_of(exchange(bridge.port, upgrade("/nowhere?token=" + TOKEN))) == 404


def test_a_slow_handshake_is_closed(bridge):
    """One that never ends, and one that trickles."""
    with connect(bridge.port) as silent, connect(bridge.port) as halting:
        halting.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
        for sock in (silent, halting):
            sock.settimeout(15 * PATIENCE)
            answer = read_all(sock)
            assert answer == b"" or status_of(answer) >= 400


def test_endless_headers_are_cut_off(bridge):
    with connect(bridge.port) as sock:
        sock.settimeout(10 * PATIENCE)
        try:
            sock.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n")
            for _ in range(2000):
                sock.sendall(b"X-Filler: " + b"y" * 1000 + b"\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        else:
            assert status_of(read_all(sock)) in (400, 413, 431)
    assert bridge.healthy()


def test_the_status_is_valid_json_whatever_clients_call_themselves(bridge, connect, publisher):
    connect(bridge, topics="command-progress.%22%5C", extra_headers={"User-Agent": '"\\\x01'})
    publisher(bridge).event({"type": "command-progress", "id": '"\\\n'})
    code, body = bridge.http("/api/status", token=TOKEN)
    assert code == 200 and json.loads(body)["success"] is True


def test_every_answer_carries_the_headers_that_keep_browsers_honest(bridge):
    for path, method in (("/", "GET"), ("/page.js", "GET"), ("/nowhere", "GET"), ("/api/status", "GET"), ("/healthz", "HEAD"),
                         (f"/api/status?token={TOKEN}", "GET"), ("/", "DELETE"), ("/ws", "GET")):
        answer = exchange(bridge.port, f"{method} {path} HTTP/1.0\r\n\r\n".encode())
        headers = dict(line.split(": ", 1) for line in answer.split(b"\r\n\r\n")[0].decode().split("\r\n")[1:])
        expected = {"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer",
                    "Cache-Control": "no-store", "Cross-Origin-Opener-Policy": "same-origin",
                    "Cross-Origin-Resource-Policy": "same-origin",
                    "Connection": "close, Upgrade" if path == "/ws" else "close"}
        assert expected.items() <= headers.items(), path
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none';") and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert "Server" not in headers and "Access-Control-Allow-Origin" not in headers


def test_an_unknown_path_says_the_same_to_everybody(bridge):
    said = {get(bridge, path, headers=headers)
            for path in ("/nowhere", "/api/nothing", f"/nowhere?token={TOKEN}", "/<script>", "/%2e%2e/x", "/index.html/", "/API/STATUS")
            for headers in ((), (f"Authorization: Bearer {TOKEN}",), ("Authorization: Bearer wrong",))}
    assert len(said) == 1 and status_of(said.pop()) == 404


def test_there_is_nothing_beside_the_page(bridge):
    for path in ("/../../../../etc/passwd", "/..%2f..%2fetc%2fpasswd", "/%2e%2e/%2e%2e/etc/passwd", "/page.js/../../etc/passwd",
                 "/./page.js", "//page.js", "/page.js%00.html", "/page.js\\", "file:///etc/passwd", "/trestle.yaml"):
        answer = get(bridge, path)
        assert status_of(answer) in (400, 404) and b"root:" not in answer, path


def test_what_is_not_answered_says_what_is(bridge):
    for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"):
        answer = exchange(bridge.port, f"{method} /api/status HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n".encode())
        assert status_of(answer) == 405 and b"\r\nAllow: GET, HEAD\r\n" in answer, method
