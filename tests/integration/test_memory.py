"""No raw token is held longer than it takes to hash it: the memory of a running trestled is searched for them.

The dynamic linker puts all vector registers, in which is what was copied last, on the stack whenever it looks up a function
of another library: at its first call, or at each with LD_BIND_NOT. So what a register holds for long is found too.
"""
import secrets

import pytest

from harness.client import Client
from harness.issuer import Issuer
from harness.memory import find, parts_of, writable_memory
from harness.tls import Authority, Pair
from harness.tokens import tokens
from harness.wait import eventually

NAME = "the-name-of-a-token-in-memory"


def is_sanitized(bridge):
    with open(f"/proc/{bridge.pid}/maps", encoding="ascii") as maps:
        return "san.so" in maps.read()


def is_nowhere(bridge, secret):
    """Soon: an answer's session lives until its client has closed. Skips where looking makes no sense, so it comes first."""
    if is_sanitized(bridge):
        pytest.skip("a sanitizer keeps what was freed, as it was")
    try:
        next(writable_memory(bridge.pid))
    except PermissionError:
        pytest.skip("may not look into another process here")
    left = []

    def nothing_left():
        left[:] = find(bridge.pid, *parts_of(secret))
        return not left
    try:
        eventually(nothing_left, "nothing of the token in memory", every=0.3)
    except AssertionError:
        raise AssertionError(left) from None


@pytest.fixture
def trestled(make_bridge):
    """As everywhere, but what stands in a register shows."""
    def start(config, env=None, **options):
        return make_bridge(config, env={"LD_BIND_NOT": "1", **(env or {})}, **options).start()
    return start


@pytest.fixture(params=["plain", "tls"])
def bridge_and_token(request, trestled, tmp_path):
    """(bridge, the token of NAME, a function that connects a client: its query and its options)."""
    text, (token,) = tokens({"name": NAME, "scopes": ["read", "admin"]})
    config = {"auth": {"token": None}, "core_dumps": True}
    context = None
    if request.param == "tls":
        authority = Authority(tmp_path)
        files = Pair(tmp_path / "files", authority.issue("first"))
        context = authority.client_context()
        config.update({"listen": [{"address": "127.0.0.1", "port": 0}, {"address": "127.0.0.1", "port": 0, "tls": True}],
                       "tls": {"certificate": str(files.certificate), "key": str(files.key)}})
    bridge = trestled(config, files={"tokens.yaml": text})
    port = bridge.logs("listening")[-1]["port"]

    def join(path="/", **options):
        scheme, host = ("wss", "localhost") if context else ("ws", "127.0.0.1")
        secured = {"ssl": context, "host": "127.0.0.1"} if context else {}
        return Client(f"{scheme}://{host}:{port}{path}", **secured, **options)
    return bridge, token, join


WAYS = {
    "query": lambda token: {"path": f"/?token={token}"},
    "escaped": lambda token: {"path": "/?topics=a&token=" + "".join(f"%{byte:02x}" for byte in token.encode())},
    "header": lambda token: {"extra_headers": {"Authorization": f"Bearer {token}", "X-Padding": "x" * 3000}},
    "subprotocol": lambda token: {"subprotocols": ["trestle.v1", f"bearer.{token}"]},
}


@pytest.mark.parametrize("way", [*WAYS, "message", "message-plain", "message-compressed", "message-padded"])
def test_a_token_is_nowhere_once_its_session_has_begun(bridge_and_token, closing, way):
    bridge, token, join = bridge_and_token
    if way in WAYS:
        client = closing(join(**WAYS[way](token)))
    else:
        client = closing(join(compression=None if way == "message-plain" else "deflate"))
        padding = {"pad": {"message-compressed": "a" * 5000, "message-padded": secrets.token_hex(8000)}.get(way, "")}
        assert client.request("auth", token=token, **padding)["data"]["name"] == NAME
    client.send({"type": "status", "id": "mine"})
    assert client.until("status")["data"]["identity"] == NAME
    is_nowhere(bridge, token)
    assert find(bridge.pid, NAME.encode()), "this search finds nothing at all"
    for _ in range(3):                                              # refreshed, and guessed
        client.request("auth", token=token)
        client.request("auth", token=token[::-1])
    is_nowhere(bridge, token)
    is_nowhere(bridge, token[::-1])


def test_a_token_that_is_refused_is_nowhere_either(bridge_and_token, closing):
    bridge, token, join = bridge_and_token
    wrong = token[::-1]
    for way in WAYS.values():
        client = closing(join(**way(wrong)))
        assert client.close_code() == 4401
    for _ in range(2):
        assert bridge.http(f"/api/status?token={wrong}")[0] == 401
        assert bridge.http("/api/status", token=wrong)[0] == 401
        assert bridge.http(f"/api/status?token={token}", token=token)[0] == 200
        assert bridge.http(f"/nowhere?token={token}", method="POST", body=token)[0] == 405
    is_nowhere(bridge, wrong)
    is_nowhere(bridge, token)


@pytest.mark.parametrize("origin", ["file", "environment"])
def test_of_the_configured_token_only_its_hash_is_kept(trestled, connect, origin):
    token = secrets.token_urlsafe(32)
    config = {"auth": {"token": token if origin == "file" else None, "tokens_file": ""}, "core_dumps": True}
    bridge = trestled(config, env={"TRESTLE_AUTH_TOKEN": token} if origin == "environment" else {})
    is_nowhere(bridge, token)
    assert connect(bridge, token=token).request("ping")["success"]
    is_nowhere(bridge, token)


def test_the_first_token_is_only_on_standard_output(trestled):
    bridge = trestled({"auth": {"token": None}, "core_dumps": True})
    token = eventually(lambda: bridge.stdout().partition("?token=")[2].split("\n")[0], "the first token")
    is_nowhere(bridge, token)
    assert bridge.http("/api/status", token=token)[0] == 200
    is_nowhere(bridge, token)


def test_a_jwt_is_nowhere_once_it_was_verified(trestled, connect, tmp_path):
    issuer = Issuer("ES256")
    bridge = trestled({"auth": {"jwt": {"keys": [issuer.write_to(tmp_path / "key")]}}, "core_dumps": True})
    token = issuer.token()
    client = connect(bridge, token=token)
    assert client.request("status")["data"]["identity"] == "alice"
    is_nowhere(bridge, token)
    assert client.request("auth", token=token)["success"]
    is_nowhere(bridge, token)
