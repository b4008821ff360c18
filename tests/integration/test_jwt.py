"""JWTs of an identity provider, signed by PyJWT, at a real trestled."""
import contextlib
import json
import os
import subprocess
import time

import pytest
import websockets
from cryptography.hazmat.primitives import serialization

from harness.bridge import BINARY
from harness.client import Closed
from harness.flood import flood
from harness.issuer import ALGORITHMS, Issuer, by_hand, jwks
from harness.preload import preload
from harness.tokens import tokens
from harness.wait import PATIENCE, TIMEOUT, eventually


@pytest.fixture
def served(trestled, tmp_path):
    """served(issuer, …, **jwt settings): a bridge that knows these issuers' keys, each from a file."""
    def make(*issuers, auth=None, shards=0, **settings):
        keys = [issuer.write_to(tmp_path / f"key{i}") for i, issuer in enumerate(issuers)]
        bridge = trestled({"auth": {**(auth or {}), "jwt": {"keys": keys, **settings}}, "shards": shards})
        bridge.key_file = tmp_path / "key0"
        return bridge
    return make


def name_of(client):
    return client.request("status", id="who")["data"]["identity"]


# --- good ones ------------------------------------------------------------------------------------------------------------

def test_every_algorithm_from_key_files_and_from_a_jwks(served, trestled, connect):
    issuers = [Issuer(algorithm, kid=algorithm) for algorithm in ALGORITHMS]
    by_file = served(*issuers)
    by_set = trestled({"auth": {"jwt": {"jwks_file": "keys.json"}}, "log": {"level": "debug"}}, files={"keys.json": "{\"keys\":[" + json.dumps(
        Issuer("ES256", "first").jwk()) + "]}"})
    path = by_set.folder / "keys.json"
    path.chmod(0o600)
    path.write_text(jwks(*issuers))
    eventually(lambda: by_set.logs("tokens read again"), "the set is read again")
    for bridge in (by_file, by_set):
        for issuer in issuers:
            client = connect(bridge, token=issuer.token(sub=f"{issuer.algorithm}-user"))
            assert name_of(client) == f"{issuer.algorithm}-user"


def test_every_way_in(served, connect):
    issuer = Issuer("ES256")
    bridge, token = served(issuer), issuer.token()
    assert name_of(connect(bridge, token=token)) == "alice"
    assert name_of(connect(bridge, token=None, extra_headers={"Authorization": f"Bearer {token}"})) == "alice"
    assert name_of(connect(bridge, token=None, subprotocols=["trestle.v1", "bearer." + token])) == "alice"
    client = connect(bridge, token=None)
    assert client.request("auth", token=token)["data"]["name"] == "alice"
    assert bridge.http("/api/status", token=token)[0] == 200
    assert bridge.http("/api/status?token=" + token)[0] == 200


def test_the_subject_reads_its_own_topics_and_nothing_else(served, connect, publisher):
    issuer = Issuer()
    bridge = served(issuer, scopes=["read:task.{sub}.>"])
    mine = connect(bridge, token=issuer.token(sub="42", scope=None))
    hostile = [connect(bridge, token=issuer.token(sub=sub, scope=None)) for sub in ("*", ">", "4.2", "..", "42.x", "\0", "", "$sys")]
    everything = connect(bridge)
    source = publisher(bridge)
    for kind in ("task.7.x", "task.4.2.x", "other", "task.42.x"):
        source.event({"type": kind})
    assert [everything.data()["type"] for _ in range(4)][-1] == "task.42.x"
    assert mine.data()["type"] == "task.42.x"
    assert mine.request("subscribe", topics=["task.>"])["data"]["code"] == "forbidden"
    for client in hostile:                                          # whatever came to them came before the reply
        client.send({"type": "ping", "id": "last"})
        assert client.collect("pong", id="last") == []


def test_scopes_may_be_a_list_and_foreign_ones_are_passed_over(served, connect):
    issuer = Issuer()
    bridge = served(issuer)
    client = connect(bridge, token=issuer.token(scope="openid email read:a", scopes=["read:b", "profile"]))
    assert client.request("status")["data"]["topics"] == ["a", "b"]


# --- bad ones -------------------------------------------------------------------------------------------------------------

def test_hostile_tokens_are_refused(served, connect):
    issuer, rs, stranger = Issuer(), Issuer("RS256", "r1"), Issuer()
    bridge = served(issuer, rs, issuer="us", audience=["trestle"])
    now = int(time.time())
    good = {"iss": "us", "aud": "trestle"}
    claims = json.dumps({"sub": "alice", "scope": "read admin", "exp": now + 600, **good})
    header = '{"alg":"HS256","kid":"k1"%s}'
    assert name_of(connect(bridge, token=issuer.token(**good))) == "alice"
    assert name_of(connect(bridge, token=by_hand(header % "", claims, issuer.key))) == "alice"
    hostile = {
        "none": by_hand('{"alg":"none","kid":"k1"}', claims),
        "None": by_hand('{"alg":"None"}', claims),
        "none, signed": by_hand('{"alg":"nOnE","kid":"k1"}', claims, issuer.key),
        "public key as secret": by_hand('{"alg":"HS256","kid":"r1"}', claims, rs.public_pem()),
        "no secret": by_hand(header % "", claims, b""),
        "another key": stranger.token(**good),
        "another kid": issuer.token(headers={"kid": "k2"}, **good),
        "huge kid": issuer.token(headers={"kid": "k" * 4000}, **good),
        "no kid": by_hand('{"alg":"HS256"}', claims, issuer.key),
        "crit": issuer.token(headers={"crit": ["exp"]}, **good),
        "alg twice": by_hand(header % ',"alg":"none"', claims, issuer.key),
        "sub twice": by_hand(header % "", claims[:-1] + ',"sub":"root"}', issuer.key),
        "deep": by_hand(header % "", claims[:-1] + ',"x":' + "[" * 1000 + "]" * 1000 + "}", issuer.key),
        "huge": issuer.token(x="x" * 7000, **good),
        "not yet": issuer.token(nbf=now + 600, **good),
        "from the future": issuer.token(iat=now + 600, **good),
        "no expiry": issuer.token(exp=None, **good),
        "another audience": issuer.token(iss="us", aud=["somebody"]),
        "no audience": issuer.token(iss="us"),
        "another issuer": issuer.token(iss="them", aud="trestle"),
        "padding": issuer.token(**good) + "%3D",
        "cut": issuer.token(**good)[:-1],
        "no signature": issuer.token(**good).rsplit(".", 1)[0] + ".",
    }
    for what, token in hostile.items():
        closed = connect(bridge.ws_url(token=None) + "?token=" + token).closed()
        assert (closed.code, closed.reason) == (4401, "no valid token"), what
        assert bridge.http("/api/status?token=" + token)[0] == 401, what
    assert connect(bridge, token=issuer.token(exp=now - 60, **good)).close_code() == 4409
    assert connect(bridge, token=issuer.token(exp=now - 60, iss="them", aud="trestle")).close_code() == 4401


def test_a_token_that_has_expired_does_not_fill_the_log(served, connect):
    issuer = Issuer()
    bridge = served(issuer, shards=1)
    token = issuer.token(exp=int(time.time()) - 60)
    client = connect(bridge)
    lines = flood(bridge, "token refused", lambda: bridge.http("/api/status", token=token))
    assert {line["why"] for line in lines} == {"it has expired"}
    assert not client.request("auth", token=token)["success"]
    assert token not in bridge.output()


# --- in time --------------------------------------------------------------------------------------------------------------

def test_a_session_outlives_its_token_for_the_grace_and_is_4409_then(served, connect):
    issuer = Issuer()
    bridge = served(issuer, leeway="0ms", auth={"grace": "1s"})
    expires = time.time() + 1.5
    client = connect(bridge, token=issuer.token(exp=expires))
    assert client.close_code(timeout=4 + TIMEOUT) == 4409
    assert time.time() >= expires + 1


def test_an_auth_in_time_keeps_the_session(served, connect, publisher):
    issuer = Issuer()
    bridge = served(issuer, leeway="0ms", auth={"grace": f"{int(TIMEOUT)}s"})
    client = connect(bridge, token=issuer.token(exp=time.time() + 0.5))
    assert name_of(client) == "alice"
    eventually(lambda: bridge.http("/api/status", token=issuer.token(exp=time.time() + 0.2)) and True, "a moment")
    time.sleep(0.6)                                                 # the token has expired now, whatever else is slow
    assert client.request("auth", token=issuer.token())["data"]["expires"] > time.time() * 1e6
    refused = client.request("auth", id=2, token=issuer.token(exp=time.time() - 1))
    assert refused["data"]["message"] == "this token has expired"
    publisher(bridge).event({"type": "hello"})
    assert client.until("hello")


def test_a_time_beyond_what_a_number_holds_is_told_as_the_last_that_it_holds(served, connect):
    issuer = Issuer()
    bridge = served(issuer, leeway="0ms")
    client = connect(bridge, token=issuer.token())
    last = (2**53 - 1) // 1_000_000
    for exp, told in ((last, last * 1_000_000), (last + 1, 2**53 - 1), (253_402_300_799, 2**53 - 1)):
        assert client.request("auth", token=issuer.token(exp=exp))["data"]["expires"] == told
    assert name_of(client) == "alice"


def test_auth_changes_the_rights_exactly(served, connect, publisher):
    issuer = Issuer()
    bridge = served(issuer)
    client, source = connect(bridge, meta="1", token=issuer.token(sub="a", scope="read:a.> read:both")), publisher(bridge)
    client.until("live")

    def seen():
        for kind in ("a.x", "b.x", "both", "end"):
            source.event({"type": kind})
        everything.until("end")
        client.send({"type": "ping", "id": "seen"})
        return [data["type"] for data in client.collect("pong", id="seen")]

    everything = connect(bridge)
    eventually(lambda: seen() == ["a.x", "both"], "the publisher is connected")
    assert client.request("auth", token=issuer.token(sub="b", scope="read:b.> read:both"))["success"]
    client.until("live")
    assert sorted(client.request("status")["data"]["topics"]) == ["b.>", "both"]
    assert client.request("status")["data"]["identity"] == "b"
    assert seen() == ["b.x", "both"]
    assert client.request("auth", token=issuer.token(sub="c", scope="publish"))["success"]
    assert seen() == []
    assert client.request("status")["data"]["topics"] == []
    assert not client.request("subscribe", topics=["both"])["success"]


# --- keys and revocation, while it runs -----------------------------------------------------------------------------------

def within_a_second(begun):
    assert time.monotonic() - begun < PATIENCE, "a second is the promise"


def test_revoked_by_id_and_by_time(served, connect):
    issuer = Issuer()
    bridge = served(issuer, auth={"revoked_file": "revoked.yaml"})
    now = int(time.time())
    stolen, old, fresh, bob = (issuer.token(jti="7"), issuer.token(iat=now - 100), issuer.token(iat=now + 1, jti="8"),
                               issuer.token(sub="bob", iat=now - 100))
    clients = [connect(bridge, token=token) for token in (stolen, old, fresh, bob)]
    for client in clients:
        name_of(client)
    file = bridge.folder / "revoked.yaml"
    begun = time.monotonic()
    file.write_text("jti: ['7']\n")
    assert clients[0].closed().code == 4401
    within_a_second(begun)
    stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(now - 10))
    begun = time.monotonic()
    file.write_text("jti: ['7']\nissued_before: {alice: " + stamp + "}\n")
    assert clients[1].closed().code == 4401
    within_a_second(begun)
    assert name_of(clients[2]) == "alice" and name_of(clients[3]) == "bob"
    for token, code in ((stolen, 401), (old, 401), (fresh, 200), (bob, 200)):
        assert bridge.http("/api/status", token=token)[0] == code


def revoke(bridge, *what):
    """`trestle token revoke`, as an operator types it."""
    command = [BINARY.parent / "trestle", "token", "revoke", *what, "--revoked-file", bridge.folder / "revoked.yaml"]
    subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT)


@pytest.mark.parametrize("which", ["--jti", "--subject"])
def test_the_command_line_revokes_for_good(served, connect, which):
    issuer = Issuer()
    bridge = served(issuer, auth={"revoked_file": "revoked.yaml"})
    then = int(time.time()) - 100
    bad, good = issuer.token(jti="7", iat=then), issuer.token(sub="bob", jti="8", iat=then)
    ended, stays = connect(bridge, token=bad), connect(bridge, token=good)
    assert name_of(ended) == "alice" and name_of(stays) == "bob"
    begun = time.monotonic()
    revoke(bridge, which, "7" if which == "--jti" else "alice")
    assert ended.closed().code == 4401
    within_a_second(begun)
    assert name_of(stays) == "bob"

    def is_in_force():
        assert connect(bridge, token=bad).close_code() == 4401
        assert bridge.http("/api/status", token=bad)[0] == 401
        assert name_of(connect(bridge, token=good)) == "bob"
    is_in_force()
    bridge.stop()
    bridge.restart()
    is_in_force()
    revoke(bridge, "--jti", "9")                                        # what was revoked before stays so
    eventually(lambda: bridge.logs("tokens read again"), "the file is read again")
    is_in_force()
    if which == "--subject":                                            # alice, logged in again
        assert name_of(connect(bridge, token=issuer.token(iat=int(time.time()) + 2))) == "alice"


@pytest.mark.parametrize("ahead", [0, 10, 25])
def test_sessions_of_an_issuer_whose_clock_is_ahead_are_revoked_too(served, connect, ahead):
    issuer = Issuer()
    bridge = served(issuer, auth={"revoked_file": "revoked.yaml"})          # leeway: 30s
    token = issuer.token(iat=int(time.time()) + ahead)
    client, bob = connect(bridge, token=token), connect(bridge, token=issuer.token(sub="bob"))
    assert name_of(client) == "alice" and name_of(bob) == "bob"
    assert bridge.http("/api/status", token=issuer.token(iat=int(time.time()) + 1000))[0] == 401
    begun = time.monotonic()
    revoke(bridge, "--subject", "alice")
    assert client.closed().code == 4401
    within_a_second(begun)
    assert name_of(bob) == "bob"


def spoil_tokens(bridge):
    (bridge.folder / "tokens.yaml").chmod(0o644)
    return "tokens.yaml is a secret that others can read"


def spoil_key(bridge):
    bridge.key_file.write_text("short")
    return "key0"


@pytest.mark.parametrize("spoil", [spoil_tokens, spoil_key])
def test_a_fault_in_another_file_keeps_no_token_from_being_revoked(served, connect, spoil):
    issuer = Issuer()
    bridge = served(issuer, auth={"revoked_file": "revoked.yaml"})
    (bridge.folder / "tokens.yaml").write_text("tokens: []\n")
    (bridge.folder / "tokens.yaml").chmod(0o600)
    client, other = connect(bridge, token=issuer.token(jti="7")), connect(bridge, token=issuer.token(jti="8"))
    assert name_of(client) == name_of(other) == "alice"
    complaint = spoil(bridge)
    eventually(lambda: complaint in bridge.status()["auth"].get("trouble", ""), "the fault in the status")
    assert complaint in bridge.logs("tokens stay as they were")[-1]["error"]
    begun = time.monotonic()
    revoke(bridge, "--jti", "7")
    assert client.closed().code == 4401
    within_a_second(begun)
    assert name_of(other) == "alice"
    assert bridge.status()["auth"]["revoked"] == 1 and bridge.http("/readyz")[0] == 200
    (bridge.folder / "tokens.yaml").chmod(0o600)
    issuer.write_to(bridge.key_file)
    bridge.wait_status(lambda status: "trouble" not in status["auth"], "all is mended")
    assert name_of(other) == "alice"


def test_a_file_of_revoked_tokens_that_is_deleted_takes_nothing_back(served, connect):
    issuer = Issuer()
    bridge = served(issuer, auth={"revoked_file": "revoked.yaml"})
    assert len([line for line in bridge.logs() if "auth.revoked_file: there is no " in line["msg"]]) == 1
    revoke(bridge, "--jti", "7")
    bad = issuer.token(jti="7")
    eventually(lambda: bridge.http("/api/status", token=bad)[0] == 401, "it is revoked")
    (bridge.folder / "revoked.yaml").unlink()
    bridge.wait_status(lambda status: "revoked.yaml is gone" in status["auth"].get("trouble", ""), "the fault")
    assert "revoked.yaml is gone" in bridge.logs("tokens stay as they were")[-1]["error"]
    assert bridge.http("/api/status", token=bad)[0] == 401
    (bridge.folder / "revoked.yaml").write_text("")
    eventually(lambda: bridge.http("/api/status", token=bad)[0] == 200, "an empty file revokes nothing")


def test_a_wrong_token_in_band_does_not_hide_that_the_one_held_was_revoked(served, connect):
    issuer = Issuer()
    bridge = served(issuer, auth={"revoked_file": "revoked.yaml"})
    clients = [connect(bridge, token=issuer.token(jti=str(number))) for number in range(4)]
    for client in clients:
        name_of(client)
    revoke(bridge, "--subject", "alice")
    begun = time.monotonic()
    while any(client.is_open for client in clients) and time.monotonic() - begun < PATIENCE:
        for client in clients:                                          # guesses before, at and after the moment
            with contextlib.suppress(Closed, websockets.ConnectionClosed):
                client.send({"type": "auth", "id": 1, "token": "guess"})
        time.sleep(0.03)                                                # within limits.requests_per_second
    assert [client.close_code() for client in clients] == [4401] * 4


def test_a_key_that_is_replaced_ends_its_sessions_and_a_broken_file_does_not(served, connect):
    old, new = Issuer(kid="k1"), Issuer(kid="k1")
    bridge = served(old)
    client = connect(bridge, token=old.token())
    name_of(client)
    bridge.key_file.write_text("short")
    eventually(lambda: bridge.logs("tokens stay as they were"), "the file is refused")
    assert name_of(client) == "alice" and bridge.http("/api/status", token=old.token())[0] == 200
    assert "trestle.yaml" in bridge.logs("tokens stay as they were")[0]["error"]
    begun = time.monotonic()
    fresh = bridge.key_file.with_name("fresh")
    new.write_to(fresh)
    os.replace(fresh, bridge.key_file)
    assert client.closed().code == 4401
    within_a_second(begun)
    assert name_of(connect(bridge, token=new.token())) == "alice"


def put(path, text):
    beside = path.with_suffix(".beside")
    beside.write_text(text)
    beside.chmod(0o600)
    os.replace(beside, path)


@pytest.mark.parametrize("broken", ["key", "set"])
def test_a_broken_file_of_keys_keeps_no_key_in_another_from_being_taken_away(served, connect, tmp_path, broken):
    """Both kinds of files, one of them broken: what it held stays, and what is taken away in the other is over."""
    of_key, of_set, next_of_key, next_of_set = (Issuer("ES256", kid=kid) for kid in ("k", "s", "k", "t"))
    key_file, set_file = tmp_path / "key0", tmp_path / "keys.json"
    put(set_file, jwks(of_set))
    bridge = served(of_key, jwks_file=str(set_file))
    by_key, by_set = connect(bridge, token=of_key.token()), connect(bridge, token=of_set.token())
    assert name_of(by_key) == name_of(by_set) == "alice"
    spoiled, changed = (key_file, set_file) if broken == "key" else (set_file, key_file)
    stays, ends = (by_key, by_set) if broken == "key" else (by_set, by_key)
    put(spoiled, "broken")
    bridge.wait_status(lambda status: str(spoiled) in status["auth"].get("trouble", ""), "the fault in the status")
    assert str(spoiled) in bridge.logs("tokens stay as they were")[-1]["error"]
    begun = time.monotonic()
    put(changed, jwks(next_of_set) if changed == set_file else next_of_key.public_pem().decode())
    assert ends.closed().code == 4401
    within_a_second(begun)
    assert name_of(stays) == "alice" and str(spoiled) in bridge.status()["auth"]["trouble"]
    fresh = next_of_set if changed == set_file else next_of_key
    assert name_of(connect(bridge, token=fresh.token())) == "alice"
    put(spoiled, of_key.public_pem().decode() if broken == "key" else jwks(of_set))
    bridge.wait_status(lambda status: "trouble" not in status["auth"], "all is mended")
    assert name_of(stays) == "alice"


def reader_of(pipe):
    """A descriptor to write to whoever reads the pipe; None while nobody does."""
    with contextlib.suppress(OSError):
        return os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    return None


def test_a_change_while_it_starts_is_seen(make_bridge, tmp_path):
    """The start is held up where it opens a key, after the token file has been read."""
    key = Issuer().write_to(tmp_path / "key")
    pipe = tmp_path / "key.pipe"
    os.mkfifo(pipe)
    text, _ = tokens({"name": "old", "scopes": ["read"]})
    bridge = make_bridge({"auth": {"token": None, "jwt": {"keys": [key]}}}, files={"tokens.yaml": text},
                         env={**preload(tmp_path, "held_open"), "HELD_FILE": key["file"]})
    bridge.launch()
    sluice = eventually(lambda: reader_of(pipe), "it is held up")
    pipe.unlink()
    pipe.touch()                                                        # held up once
    text, (new,) = tokens({"name": "new", "scopes": ["read"]})
    (bridge.folder / "tokens.yaml").write_text(text)
    os.close(sluice)
    bridge.await_start()
    eventually(lambda: bridge.http("/api/status", token=new)[0] == 200, "the new token is known")


# --- start ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("mode, content, complaint", [
    (0o644, b"0123456789abcdef" * 2, "is a secret that others can read (mode 0644): chmod 600"),
    (0o600, b"x" * 31, "holds a secret of 31 bytes; HS256 needs at least 32"),
    (0o600, None, "No such file or directory"),
])
@pytest.mark.parametrize("args", [(), ("--check",)])
def test_an_unsafe_key_is_refused_with_its_line_and_the_remedy(make_bridge, tmp_path, mode, content, complaint, args):
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
        file.chmod(mode)
    config = f"auth:\n  jwt:\n    keys:\n      - {{algorithm: HS256, file: {file}}}\nlisten: {{port: 0}}\n"
    bridge = make_bridge(config, args=args).launch()
    assert bridge.exit_code() == 2
    bridge.process = None
    assert "trestle.yaml:4:9: auth.jwt.keys: " in bridge.stderr() and complaint in bridge.stderr()
    if content is not None:
        allowed = config.replace("keys:", "insecure: true\n    keys:")
        bridge = make_bridge(allowed, args=("--check",)).launch()
        assert bridge.exit_code() == 0


def body_of(pem):
    """The lines between the first and the last."""
    return b"\n".join(pem.splitlines()[1:-1])


def forms_of_keys():
    """{name: (what a file of a key or certificate holds, what the bridge calls it)}"""
    rsa, ed25519 = Issuer("RS256").key, Issuer("EdDSA").key
    spki, pkcs1 = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.PKCS1
    pkcs8, traditional = serialization.PrivateFormat.PKCS8, serialization.PrivateFormat.TraditionalOpenSSL
    der, pem, clear = serialization.Encoding.DER, serialization.Encoding.PEM, serialization.NoEncryption()
    locked = serialization.BestAvailableEncryption(b"pass phrase")
    ssh = [key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
           for key in (rsa, ed25519, Issuer("ES256").key)]
    openssh = rsa.private_bytes(pem, serialization.PrivateFormat.OpenSSH, clear)
    return {
        "PEM": (rsa.public_key().public_bytes(pem, spki), "PEM, "),
        "SPKI in DER": (rsa.public_key().public_bytes(der, spki), "DER, "),
        "PKCS #1 in DER": (rsa.public_key().public_bytes(der, pkcs1), "DER, "),
        "Ed25519 in DER": (ed25519.public_key().public_bytes(der, spki), "DER, "),
        "a private key in PKCS #8 DER": (rsa.private_bytes(der, pkcs8, clear), "DER, "),
        "a private key in PKCS #1 DER": (rsa.private_bytes(der, traditional, clear), "DER, "),
        "a private key behind a pass phrase": (rsa.private_bytes(der, pkcs8, locked), "DER, "),
        "the body of a PEM": (body_of(rsa.public_key().public_bytes(pem, spki)) + b"\n", "PEM without its first and last line, "),
        "the body of a PKCS #1 PEM in one line": (body_of(rsa.public_key().public_bytes(pem, pkcs1)).replace(b"\n", b""),
                                                 "PEM without its first and last line, "),
        "the body of a private PEM": (body_of(rsa.private_bytes(pem, pkcs8, clear)), "PEM without its first and last line, "),
        "the body of an OpenSSH private key": (body_of(openssh), "PEM without its first and last line, "),
        "ssh-rsa": (ssh[0] + b" me@here\n", "a key of SSH "),
        "ssh-ed25519": (ssh[1], "a key of SSH "),
        "ecdsa-sha2-nistp256 with options": (b"restrict " + ssh[2], "a key of SSH "),
    }


@pytest.mark.parametrize("form", forms_of_keys())
def test_a_key_in_whatever_form_is_refused_as_a_secret(make_bridge, tmp_path, form):
    """Or everybody who has the issuer's public key signs tokens."""
    content, called = forms_of_keys()[form]
    file = tmp_path / "issuer"
    file.write_bytes(content)
    file.chmod(0o600)
    for more in ("", "insecure: true\n    "):
        config = f"auth:\n  jwt:\n    {more}keys:\n      - {{kid: k, algorithm: HS256, file: {file}}}\nlisten: {{port: 0}}\n"
        bridge = make_bridge(config, args=("--check",)).launch()
        assert bridge.exit_code() == 2
        bridge.process = None
        assert f"{file} holds {called}" in bridge.stderr()
        assert "that others may know, and no secret; use the algorithm that belongs to the key" in bridge.stderr()
        assert f"trestle.yaml:{5 if more else 4}:9: auth.jwt.keys: " in bridge.stderr()


# --- nowhere to be read ---------------------------------------------------------------------------------------------------

def test_jwts_are_in_no_log_status_error_or_process_list(served, connect):
    issuer = Issuer()
    bridge = served(issuer, auth={"revoked_file": "revoked.yaml"})
    bridge.stop()
    bridge.config["log"]["level"] = "debug"
    bridge.restart()
    tokens = {"good": issuer.token(), "expired": issuer.token(exp=1), "foreign": issuer.token(aud="x"),
              "unsigned": by_hand('{"alg":"none"}', '{"sub":"alice"}')}
    told = ""
    for token in tokens.values():
        closing = [connect(bridge, token=token),
                   connect(bridge, token=None, extra_headers={"Authorization": f"Bearer {token}"}),
                   connect(bridge, token=None, subprotocols=["trestle.v1", "bearer." + token])]
        for client in closing:
            with contextlib.suppress(websockets.ConnectionClosed):  # not all of them are let in
                client.send({"type": "auth", "token": token, "id": 1})
                client.send({"type": "subscribe", "topics": ["$sys.>"], "id": token})
        late = connect(bridge, token=None)
        with contextlib.suppress(websockets.ConnectionClosed):
            late.send({"type": "auth", "token": token})
            late.send({"type": token})
        told += bridge.http("/api/status", token=token)[1] + bridge.http("/nowhere?token=" + token)[1]
    told += json.dumps(bridge.status()) + bridge.http("/metrics")[1]
    with open(f"/proc/{bridge.pid}/cmdline") as cmdline, open(f"/proc/{bridge.pid}/environ") as environment:
        told += cmdline.read() + environment.read()
    assert bridge.stop() == 0
    told += bridge.output()
    assert "token refused" in told
    for what, token in tokens.items():
        for part in token.split(".")[1:]:
            assert not part or part not in told, what
