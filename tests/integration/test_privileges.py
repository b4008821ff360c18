"""What trestled gives up before it serves anybody, and what it leaves for nobody to find."""
import os
import pwd
import random
import shutil

import pytest

from harness.bridge import TOKEN
from harness.raw import connect as open_socket
from harness.tls import Authority
from harness.tokens import tokens

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
def test_what_the_user_may_not_reach_is_said_at_the_start(make_bridge):
    text, _ = tokens({"name": "a", "scopes": ["read"]})
    bridge = make_bridge({"user": "nobody", "auth": {"token": None}}, files={"tokens.yaml": text})
    (bridge.folder / "tokens.yaml").chmod(0o600)
    refused(bridge, "tokens.yaml", "ermission denied", "(as user nobody)")
    refused(make_bridge({"user": "nobody", "stream": {"path": "events.db"}, "auth": {"tokens_file": ""}}), "events.db")


@ROOT
def test_a_certificate_that_the_user_could_not_read_again_is_refused_at_the_start(make_bridge, tmp_path):
    certificate, key = Authority(tmp_path).issue("front")
    bridge = make_bridge({"user": "nobody", "listen": {"tls": True}, "auth": {"tokens_file": ""},
                          "tls": {"certificate": str(certificate), "key": str(key)}})
    refused(bridge, str(tmp_path), "ermission denied", "(as user nobody, who reads it again later)")


def test_a_user_that_does_not_exist(make_bridge):
    refused(make_bridge({"user": "no-such-user"}), 'user: there is no "no-such-user" on this machine')


@ROOT
def test_only_root_can_become_another(make_bridge):
    if not shutil.which("setpriv"):
        pytest.skip("needs setpriv")
    bridge = make_bridge({"user": "daemon"}, prefix=["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                                                     "--inh-caps=-all"])
    for folder in [bridge.folder, *bridge.folder.parents]:
        if str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    refused(bridge, 'only root can become "daemon"')


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
                      env={"TRESTLE_AUTH_TOKEN": SECRET, "TRESTLE_TOKEN": SECRET, "UNRELATED": "stays"})
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
