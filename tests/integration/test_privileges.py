"""What trestled gives up before it serves anybody, and what it leaves for nobody to find."""
import os
import pwd
import random
import shutil

import subprocess
import time

import pytest

from harness.bridge import BINARY, TOKEN
from harness.issuer import Issuer, jwks
from harness.raw import connect as open_socket
from harness.tls import Authority
from harness.tokens import tokens
from harness.wait import PATIENCE, eventually

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, which it is about to give up")
NOBODY = pwd.getpwnam("nobody")
SECRET = "a-static-token-from-the-environment"


def process_status(bridge):
    with open(f"/proc/{bridge.pid}/status", encoding="ascii") as lines:
        return dict(line.rstrip("\n").split(":\t", 1) for line in lines if ":\t" in line)


def refused(bridge, *mentions):
    assert bridge.launch().exit_code() == 2
    for text in mentions:
        assert text in bridge.stderr(), bridge.stderr()
    bridge.process = None                                           # its end has been judged


def low_port():
    """One that only root may bind, and nobody has."""
    for port in random.sample(range(600, 1024), 100):
        try:
            open_socket(port).close()
        except OSError:
            return port
    pytest.skip("no free port below 1024")


@ROOT
def test_it_goes_on_as_the_user_and_has_the_port_of_root(trestled, connect, publisher):
    bridge = trestled({"user": "nobody", "listen": {"port": low_port()}, "auth": {"tokens_file": ""}})
    seen = process_status(bridge)
    assert seen["Uid"].split() == [str(NOBODY.pw_uid)] * 4
    assert seen["Gid"].split() == [str(NOBODY.pw_gid)] * 4
    assert set(seen["Groups"].split()) <= {str(NOBODY.pw_gid)}
    assert int(seen["CapEff"], 16) == 0 and int(seen["CapPrm"], 16) == 0
    client = connect(bridge)
    publisher(bridge).event({"type": "note"})
    assert client.data()["type"] == "note"


@ROOT
@pytest.mark.parametrize("args", [(), ("--check",)])
def test_what_the_user_may_not_reach_is_said_at_the_start(make_bridge, args):
    text, _ = tokens({"name": "a", "scopes": ["read"]})
    bridge = make_bridge({"user": "nobody", "auth": {"token": None}}, files={"tokens.yaml": text}, args=args)
    (bridge.folder / "tokens.yaml").chmod(0o600)
    refused(bridge, "tokens.yaml", "ermission denied", "(as user nobody, who reads it again later)")
    refused(make_bridge({"user": "nobody", "stream": {"path": "events.db"}, "auth": {"tokens_file": ""}}, args=args),
            "cannot use the journal ", "events.db: Permission denied")


@ROOT
@pytest.mark.parametrize("args", [(), ("--check",)])
def test_a_certificate_that_the_user_could_not_read_again_is_refused_at_the_start(make_bridge, tmp_path, args):
    certificate, key = Authority(tmp_path).issue("front")
    bridge = make_bridge({"user": "nobody", "listen": {"tls": True}, "auth": {"tokens_file": ""},
                          "tls": {"certificate": str(certificate), "key": str(key)}}, args=args)
    refused(bridge, str(tmp_path), "ermission denied", "(as user nobody, who reads it again later)")


def reached_by_nobody(bridge):
    """pytest's folders are private to their owner: opened up as far as this bridge's."""
    for folder in [bridge.folder, *bridge.folder.parents]:
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    return bridge


def for_group_of_nobody(file):
    """Root's own, and only the service may read it too."""
    os.chown(file, 0, NOBODY.pw_gid)
    file.chmod(0o640)


def trestle(*arguments):
    """The command line, run by root."""
    return subprocess.run([BINARY.parent / "trestle", *map(str, arguments)], capture_output=True, text=True, check=True,
                          timeout=30 * PATIENCE).stdout.strip()


@ROOT
def test_what_root_changes_in_a_file_of_tokens_the_user_reads(make_bridge, connect):
    text, (first,) = tokens({"name": "a", "scopes": ["read"]})
    config = {"user": "nobody", "auth": {"token": None, "revoked_file": "revoked.yaml"}}
    bridge = reached_by_nobody(make_bridge(config, files={"tokens.yaml": text}))
    file = bridge.folder / "tokens.yaml"
    for_group_of_nobody(file)
    bridge.start()
    old = connect(bridge, token=first)
    assert old.request("ping")["success"]
    new = trestle("token", "create", "--file", file, "--name", "b")
    eventually(lambda: bridge.http("/api/status", token=new)[0] == 200, "the new token is known")
    trestle("token", "revoke", "--file", file, "--name", "a")
    assert old.close_code() == 4401
    read = len(bridge.logs("tokens read again"))
    trestle("token", "revoke", "--jti", "x", "--revoked-file", bridge.folder / "revoked.yaml")
    eventually(lambda: len(bridge.logs("tokens read again")) > read, "revoked.yaml, new and root's, was read")
    assert bridge.logs("tokens stay as they were") == []


@ROOT
def test_a_secret_belongs_to_root_or_to_the_user_that_reads_it(make_bridge):
    def bridge_of(owner, user, *args):
        config = {"auth": {"token": None}, **({"user": user} if user else {})}
        bridge = reached_by_nobody(make_bridge(config, files={"tokens.yaml": tokens({"name": "a", "scopes": ["read"]})[0]},
                                               args=args))
        os.chown(bridge.folder / "tokens.yaml", pwd.getpwnam(owner).pw_uid, 0)
        return bridge
    for args in ((), ("--check",)):
        for user in ("nobody", None):
            refused(bridge_of("daemon", user, *args), "tokens.yaml is a secret that belongs to daemon (uid ", "chown it")
    refused(bridge_of("nobody", None), "tokens.yaml is a secret that belongs to nobody")
    assert bridge_of("nobody", "nobody", "--check").launch().exit_code() == 0
    bridge = bridge_of("nobody", "nobody").start()
    new = trestle("token", "create", "--file", bridge.folder / "tokens.yaml", "--name", "b")
    eventually(lambda: bridge.http("/api/status", token=new)[0] == 200, "what root wrote for nobody counts")
    assert (bridge.folder / "tokens.yaml").stat().st_uid == NOBODY.pw_uid


@ROOT
@pytest.mark.parametrize("kind", ["file", "jwks"])
def test_keys_of_jwts_are_read_again_after_root_was_given_up(make_bridge, connect, kind):
    old, new = Issuer("HS256", kid="k1"), Issuer("HS256", kid="k1")
    jwt = {"keys": [{"kid": "k1", "algorithm": "HS256", "file": "keys"}]} if kind == "file" else {"jwks_file": "keys"}
    text = {"file": lambda issuer: issuer.key.decode(), "jwks": lambda issuer: jwks(issuer)}[kind]
    bridge = reached_by_nobody(make_bridge({"user": "nobody", "auth": {"token": None, "tokens_file": "", "jwt": jwt}},
                                           files={"keys": text(old)}))
    file = bridge.folder / "keys"
    refused(bridge, "keys", "ermission denied", "(as user nobody,")     # root may read it, the user may not
    for_group_of_nobody(file)
    bridge.start()
    client = connect(bridge, token=old.token())
    assert client.request("status")["data"]["identity"] == "alice"
    beside = file.with_name("beside")
    beside.write_text(text(new))
    for_group_of_nobody(beside)
    begun = time.monotonic()
    os.replace(beside, file)
    assert client.close_code() == 4401
    assert time.monotonic() - begun < PATIENCE
    assert connect(bridge, token=new.token()).request("status")["data"]["identity"] == "alice"
    file.chmod(0o600)                                                   # what it can't read any more changes nothing
    line = eventually(lambda: bridge.logs("tokens stay as they were"), "the log says so")[0]
    assert "ermission denied" in line["error"]
    assert connect(bridge, token=new.token()).request("ping")["success"]


def test_a_user_that_does_not_exist(make_bridge):
    refused(make_bridge({"user": "no-such-user"}), 'user: there is no "no-such-user" on this machine')


@ROOT
def test_only_root_can_become_another(make_bridge):
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv")
    bridge = make_bridge({"user": "daemon"}, prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                                     "--inh-caps=-all"])
    refused(reached_by_nobody(bridge), 'only root can become "daemon"')


def test_nothing_that_it_starts_gains_rights(bridge):
    assert process_status(bridge)["NoNewPrivs"] == "1"


def is_sanitized(bridge):
    with open(f"/proc/{bridge.pid}/maps", encoding="ascii") as maps:
        return "san.so" in maps.read()


@pytest.mark.parametrize("allowed", [False, True])
def test_core_files_are_left_only_if_that_is_meant(trestled, allowed):
    bridge = trestled({"core_dumps": allowed})
    if os.geteuid() == 0 and is_sanitized(bridge):
        pytest.skip("a sanitizer has to look inside")
    with open(f"/proc/{bridge.pid}/limits", encoding="ascii") as limits:
        core, = (line.split()[4] for line in limits if line.startswith("Max core file size"))
    assert allowed or core == "0"
    assert allowed == (os.stat(f"/proc/{bridge.pid}/environ").st_uid == os.geteuid()) or os.geteuid() == 0


@ROOT
def test_a_token_of_the_environment_can_not_be_seen_there(trestled, connect):
    bridge = trestled({"auth": {"token": None, "tokens_file": ""}},
                      env={"TRESTLE_AUTH_TOKEN": SECRET, "TRESTLE_TOKEN": SECRET, "UNRELATED": "stays",
                           "TRESTLE_URL": f"ws://localhost/?token={SECRET}&x=1"})
    with open(f"/proc/{bridge.pid}/environ", "rb") as environment:
        text = environment.read()
    assert SECRET.encode() not in text and b"UNRELATED=stays" in text
    assert connect(bridge, token=SECRET).request("ping")["success"]


def test_tokens_are_in_no_log_no_answer_and_no_process_list(trestled, connect, publisher):
    """Every way in, good and bad tokens, at the level that says most."""
    wrong = "a-token-that-nobody-knows"
    bridge = trestled({"log": {"level": "debug"}})
    answers = []
    for token in (TOKEN, wrong):
        ways = [{"token": token}, {"token": None, "extra_headers": {"Authorization": f"Bearer {token}"}},
                {"token": None, "subprotocols": ["trestle.v1", f"bearer.{token}"]}, {"token": token, "topics": "a..b"},
                {"token": token, "since": "nonsense"}, {"token": token, "origin": f"https://x/?token={token}"},
                {"token": token, "path": "/nowhere"}]
        for way in ways:
            try:
                client = connect(bridge, **way)
            except Exception as refusal:                            # 404
                answers.append(str(refusal))
                continue
            with pytest.raises(Exception) as end:                   # closed: at once, or for the binary frame
                client.send({"type": "status", "id": 1})
                client.send({"type": "auth", "id": 2, "token": token})
                client.send({"type": "unsubscribe", "id": 3, "topics": ["x"]})
                client.send("{")
                client.send(b"\x00")
                while True:
                    answers.append(client.text())
            answers.append(str(end.value))
        first = connect(bridge, token=None)
        first.send({"type": "auth", "id": 1, "token": token})
        for path in ("/api/status", "/healthz", "/readyz", "/", "/nowhere", "/metrics", f"/{token}"):
            for target in (f"{path}?token={token}", path):
                answers.append(bridge.http(target, token=token)[1])
                answers.append(bridge.http(target, token=token, method="POST", body="x")[1])
    answers.append(str(bridge.status()))
    with open(f"/proc/{bridge.pid}/cmdline", encoding="utf-8") as line:
        answers.append(line.read())
    bridge.stop()
    said = bridge.all_output() + "".join(answers)
    assert len(answers) > 50 and "session refused" in said and "session closed" in said
    assert TOKEN not in said and wrong not in said
