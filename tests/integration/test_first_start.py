"""The first start makes a token, stores it and says where to go; later ones say nothing."""
import re
import shutil
import stat
import subprocess
import time

import pytest

from harness.bridge import BINARY, REPOSITORY
from harness.wait import eventually, free_port

NO_TOKEN = {"auth": {"token": None}}
URL = re.compile(r"(http://[^\s\"]*?[?#&]token=([A-Za-z0-9_-]+))")


@pytest.fixture
def first(trestled):
    """(bridge, token) of a first start."""
    bridge = trestled(NO_TOKEN)
    found = URL.findall(bridge.output())
    assert len(found) == 1, bridge.output()
    return bridge, found[0][1]


def test_the_url_is_printed_once_and_ready_to_open(first):
    bridge, token = first
    url = URL.search(bridge.output())[1]
    assert f":{bridge.port}/" in url
    assert bridge.output().count(token) == 1


def test_the_token_file_is_private_and_holds_no_token(first):
    bridge, token = first
    file = bridge.folder / "tokens.yaml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token not in file.read_text()


def test_the_token_has_all_scopes(first, connect):
    bridge, token = first
    client = connect(bridge, token=token, topics=">,$sys.>")
    assert client.request("ping")["success"]
    assert bridge.http("/api/status", token=token)[0] == 200


def test_the_file_that_it_made_itself_is_no_change(first):
    bridge, _ = first
    time.sleep(4 * 0.15)                                            # looks at files that would find one and tell
    assert not bridge.logs("tokens read again")
    (bridge.folder / "tokens.yaml").touch()
    eventually(lambda: bridge.logs("tokens read again"), "somebody else's change")


def test_the_second_start_prints_nothing_and_the_token_still_works(first, connect):
    bridge, token = first
    assert bridge.stop() == 0
    bridge.restart()
    assert not URL.search(bridge.output()) and token not in bridge.output()
    assert connect(bridge, token=token).request("ping")["success"]


def test_no_file_is_made_when_a_token_is_configured(bridge):
    assert not (bridge.folder / "tokens.yaml").exists()
    assert not URL.search(bridge.output())


def test_no_file_is_made_when_authentication_is_off(trestled):
    bridge = trestled({"auth": {"enabled": False, "token": None}})
    assert not (bridge.folder / "tokens.yaml").exists()


def test_the_token_can_come_from_the_environment(trestled, connect):
    bridge = trestled(NO_TOKEN, env={"TRESTLE_AUTH_TOKEN": "from-the-environment"})
    assert connect(bridge, token="from-the-environment").request("ping")["success"]
    assert not (bridge.folder / "tokens.yaml").exists()


def test_without_a_configuration_file_it_lives_in_the_working_directory(make_bridge, connect):
    """Everything by environment, as in a container."""
    bridge = make_bridge()
    port = free_port()
    bridge.env = {"TRESTLE_LISTEN_PORT": str(port), "TRESTLE_LISTEN_ADDRESS": "127.0.0.1",
                  "TRESTLE_INGEST_BIND": bridge.events_addr, "TRESTLE_INGEST_CONTROL": bridge.control_addr,
                  "TRESTLE_STREAM_PATH": ":memory:", "TRESTLE_LOG_FORMAT": "json"}
    bridge.with_file = False
    bridge.launch()
    bridge.port = port
    eventually(bridge.healthy, "/healthz")
    assert (bridge.folder / "tokens.yaml").exists()


@pytest.mark.skipif(not shutil.which("git"), reason="there is no git")
def test_what_a_start_leaves_in_a_clone_is_nothing_to_commit(trestled):
    bridge = trestled(NO_TOKEN | {"stream": {"path": "trestle.db"}})
    trestle = BINARY.parent / "trestle"
    for command in (["token", "create", "--name", "dashboard"], ["token", "revoke", "--jti", "7d2c91ab"],
                    ["keygen", "bridge.key"]):
        subprocess.run([trestle, *command], cwd=bridge.folder, check=True, capture_output=True)
    made = {path.name for path in bridge.folder.iterdir()}
    assert {"trestle.db", "tokens.yaml.lock", "revoked.yaml", "bridge.key.pub"} <= made

    clone = bridge.folder.parent
    subprocess.run(["git", "init", "--quiet", clone], check=True)
    shutil.copy(REPOSITORY / ".gitignore", clone)
    listed = subprocess.run(["git", "-C", clone, "ls-files", "--others", "--exclude-standard", bridge.folder], check=True,
                            capture_output=True, text=True).stdout
    left = {line.rpartition("/")[2] for line in listed.splitlines()}
    assert left == {"trestle.yaml"} | {path.name for path in bridge.folder.glob("std*.[0-9]*")}
