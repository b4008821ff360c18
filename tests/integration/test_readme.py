"""The README's examples, taken out of it here and run as they are written there."""
import json
import os
import re
import subprocess

import pytest

from harness.bridge import BINARY, REPOSITORY, bridge_environment
from harness.netns import Namespace
from harness.wait import TIMEOUT, eventually

README = (REPOSITORY / "README.md").read_text(encoding="utf-8")
TRESTLE = BINARY.parent / "trestle"


def block(language):
    blocks = re.findall(rf"^```{language}\n(.*?)^```", README, re.S | re.M)
    assert len(blocks) == 1, "one example in " + language
    return blocks[0]


@pytest.fixture
def own_network(closing):
    """Where the ports that the README names are nobody else's."""
    with closing(Namespace()).entered():
        yield


@pytest.fixture
def first_start(own_network, make_bridge):
    """A trestled without any configuration."""
    bridge = make_bridge()
    bridge.with_file = False
    bridge.launch()
    bridge.port = 3001
    eventually(bridge.healthy, "trestled as the README starts it")
    bridge.token = re.search(r"http://localhost:3001/\?token=(\S+)", bridge.stdout())[1]
    yield bridge
    bridge.stop()


def run(folder, name, command, text):
    (folder / name).write_text(text)
    return subprocess.Popen([*command, folder / name], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)


def test_the_producer_is_seen_by_the_client_in_the_browser(first_start, tmp_path):
    page = run(tmp_path, "client.js", ["node", "--no-warnings", "--experimental-websocket"],
               block("javascript").replace("YOUR_TOKEN", first_start.token))
    try:
        first_start.wait_status(lambda status: status["sessions_total"] == 1, "the client")
        producer = run(tmp_path, "producer.py", ["/usr/bin/python3"], block("python"))
        assert producer.wait(TIMEOUT) == 0
        assert page.stdout.readline() == "7: UPLOADING 42.5 %\n"
    finally:
        page.kill()
        page.wait()
        page.stdout.close()


def test_the_producers_event_is_as_its_schema_says(first_start, tmp_path):
    producer = run(tmp_path, "producer.py", ["/usr/bin/python3"], block("python"))
    url = f"http://localhost:3001/?token={first_start.token}"
    tail = subprocess.run([TRESTLE, "tail", "--count", "1", "command-progress.*"], capture_output=True, text=True, check=True,
                          timeout=TIMEOUT, env=bridge_environment({"TRESTLE_URL": url}))
    assert producer.wait(TIMEOUT) == 0
    schema = json.loads((REPOSITORY / "proto/schema/command-progress.schema.json").read_text(encoding="utf-8"))
    assert set(schema["required"]) <= set(json.loads(tail.stdout))


@pytest.mark.usefixtures("own_network")
def test_the_commands_for_keys(tmp_path):
    """Each line as it is, up to the last: a producer that nobody answers has at least found its keys."""
    lines = [line.strip() for line in README.splitlines() if re.match(r"    (\(echo|trestle keygen|trestle pub --curve)", line)]
    assert len(lines) == 3
    shell = ["bash", "-euc", "\n".join([*lines[:2], lines[2].replace("trestle pub", "trestle pub --timeout 100ms")])]
    done = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=TIMEOUT,
                          env=bridge_environment({"PATH": f"{BINARY.parent}:{os.environ['PATH']}"}))
    assert done.returncode == 3 and "no answer from the bridge" in done.stderr
    assert (tmp_path / "producers.yaml").read_text().startswith("producers:\n  - name: \"worker-1\"\n")
