"""deploy/Dockerfile and docker-compose.yml on a real engine: built, brought up, used from outside, taken down."""
import json
import os
import secrets
import shutil
import subprocess
import time
import urllib.error
import urllib.request

import pytest

from harness.bridge import REPOSITORY
from harness.client import Closed
from harness.docker import Compose, NoEngine, engine
from harness.wait import PATIENCE, eventually, free_port

STEPS = ["COMPRESSION", "PAR_CREATION", "UPLOADING"]
PRODUCERS = ["queue", "compressor", "uploader", "agent"]
WITHIN = 60 * PATIENCE
LARGEST_IMAGE = 200 << 20


@pytest.fixture(scope="module")
def stack(tmp_path_factory):
    """The whole deployment, up and healthy; gone at the end, images and volumes too, whatever happens."""
    folder = tmp_path_factory.mktemp("docker")
    files = folder / "files"
    files.mkdir(mode=0o755)
    settings = {"TRESTLE_AUTH_TOKEN": secrets.token_urlsafe(24), "TRESTLE_PORT": str(free_port()),
                "TRESTLE_FILES": str(files)}
    try:
        with engine() as env:
            compose = Compose(env, folder, settings)
            try:
                compose.up()
                compose.files = files
                yield compose
            finally:
                compose.down()
    except NoEngine as reason:
        pytest.skip(f"no Docker engine: {reason}")


def url(stack, scheme="http", path="/"):
    return f"{scheme}://127.0.0.1:{stack.settings['TRESTLE_PORT']}{path}"


@pytest.fixture
def join(stack, connect):
    """join(token): a client from outside, through nginx, as simple as they come."""
    def make(token=stack.settings["TRESTLE_AUTH_TOKEN"], query=""):
        return connect(f"{url(stack, 'ws')}?token={token}{query}")
    return make


def add_task(stack, name, noise=3 << 20):
    """Queues a file; returns the file and the task's id."""
    source = stack.files / name
    source.write_bytes(os.urandom(noise) + b"the same again and again\n" * 100_000)
    source.chmod(0o644)
    return source, stack.execute("queue", "trestle-queue", "ctl", "add", f"/files/{name}").strip()


def until_finished(client, task):
    """The percentages by step, and the task's end."""
    percentages = {step: [] for step in STEPS}
    deadline = time.monotonic() + WITHIN
    while True:
        data = client.data(max(0.01, deadline - time.monotonic()))
        if data["type"] == "command-progress" and data["id"] == task:
            percentages[data["currentStep"]].append(data["percentage"])
        if data["type"] == "task-finished" and data["taskConfig"]["id"] == task:
            return percentages, data["taskConfig"]


def all_healthy(stack):
    return all(container["State"]["Health"]["Status"] == "healthy" for container in stack.containers().values())


def test_every_container_is_healthy_and_can_do_little_harm(stack):
    containers = stack.containers()
    assert sorted(containers) == stack.services
    for name, container in containers.items():
        assert container["State"]["Health"]["Status"] == "healthy", name
        assert container["RestartCount"] == 0, name
        assert container["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped", name
        assert container["HostConfig"]["ReadonlyRootfs"], name
        process = stack.execute(name, "cat", "/proc/1/status")
        status = dict(line.split(":\t") for line in process.splitlines() if ":\t" in line)
        assert status["Uid"].split() == ["10001"] * 4, name
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, name
        assert status["NoNewPrivs"] == "1", name


def test_one_port_is_published_and_on_loopback_only(stack):
    published = {name: [place for places in container["NetworkSettings"]["Ports"].values() for place in places or []]
                 for name, container in stack.containers().items()}
    assert published.pop("front") == [{"HostIp": "127.0.0.1", "HostPort": stack.settings["TRESTLE_PORT"]}]
    assert not any(published.values()), published


def test_images_are_small_labelled_and_hold_no_secret_and_no_compiler(stack):
    version = stack.execute("bridge", "trestled", "--version").split()[1]
    for name in stack.services:
        image = f"{stack.project}/{name}"
        described = json.loads(stack.docker("inspect", image))[0]
        assert described["Size"] < LARGEST_IMAGE, (name, described["Size"])
        assert described["Config"]["User"] == "10001:10001"
        assert described["Config"]["Healthcheck"]["Test"]
        labels = {key.rpartition(".")[2]: value for key, value in described["Config"]["Labels"].items()}
        assert labels["title"].startswith("Trestle") and labels["description"]
        assert labels["licenses"] == "Apache-2.0" and labels["version"] == version
        history = stack.docker("history", "--no-trunc", image) + json.dumps(described)
        assert stack.settings["TRESTLE_AUTH_TOKEN"] not in history
        found = stack.execute(name, "sh", "-c", "command -v c++ g++ cmake ninja; ls -d /src /build 2>&- ; true")
        assert found == "", (name, found)


def test_the_page_comes_through_nginx(stack):
    page = REPOSITORY / "bridge/front/page"
    for path, file in (("/", "index.html"), ("/page.js", "page.js"), ("/page.css", "page.css")):
        with urllib.request.urlopen(url(stack, path=path), timeout=10) as answer:
            assert answer.status == 200 and answer.read() == (page / file).read_bytes(), path


def test_a_task_is_watched_from_outside_until_it_is_uploaded(stack, join, tmp_path):
    client = join()
    source, task = add_task(stack, "a sample with ünusual {name}.bin")
    percentages, config = until_finished(client, task)
    for step in STEPS:
        rising = percentages[step]
        assert rising == sorted(set(rising)) and rising[-1] == 100, (step, rising)
    assert config["status"] == "completed" and config["name"] == source.name
    assert "Everything is Ok" in config["rarCommandOutput"]["output"]
    assert "201" in config["nyuuCommandOutput"]["output"]

    archive = tmp_path / "uploaded.7z"
    archive.write_bytes(stack.bytes("exec", "-T", "webdav", "cat", f"/srv/webdav/upload/{task}/{source.name}.7z"))
    unpack = shutil.which("7z") or shutil.which("7zz")
    subprocess.run([unpack, "x", "-y", f"-o{tmp_path}", archive], check=True, stdout=subprocess.DEVNULL)
    assert (tmp_path / source.name).read_bytes() == source.read_bytes()
    assert stack.execute("compressor", "ls", "/var/lib/trestle-work") == ""


def test_the_agents_events_come_through_too(join):
    client = join()
    for kind in ("agent_execution_started", "streaming_output", "artifact_published", "agent_execution_completed"):
        assert client.until(kind, timeout=WITHIN).keys() == {"success", "data"}


def test_without_a_valid_token_nobody_comes_in(stack, join):
    assert join("wrong").close_code() == 4401
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(url(stack, path="/api/status"), timeout=10)
    assert refused.value.code == 401


def test_a_configuration_without_a_token_says_what_to_do(stack):
    done = stack.without("TRESTLE_AUTH_TOKEN", "config", "--quiet")
    assert done.returncode != 0
    assert b"TRESTLE_AUTH_TOKEN" in done.stderr and b"deploy/.env.example" in done.stderr


def test_the_command_line_in_the_bridges_container_needs_no_further_word(stack):
    event = json.loads(stack.execute("bridge", "trestle", "tail", "--count", "1", "queue-update"))
    assert event["type"] == "queue-update"
    producers = json.loads(stack.execute("bridge", "trestle", "status", "--json"))["data"]["producers"]
    assert {producer["id"] for producer in producers} >= {"queue", "compressor-1", "uploader-1"}


def test_tokens_outlive_the_container_and_everybody_finds_the_new_one(stack, join):
    token = stack.execute("bridge", "trestle", "token", "create", "--name", "guest", "--scope", "read").strip()
    stack.execute("bridge", "sh", "-c", "kill -HUP 1")

    def accepted():
        client = join(token, query="&meta=1")
        try:
            client.until("live")
            return client
        except Closed as end:
            assert end.code == 4401
            return None
    before = eventually(accepted, "the new token to be accepted")

    stack.run("up", "--detach", "--wait", "--no-build", "--no-deps", "--force-recreate", "bridge", timeout=120)
    assert before.close_code() == 1001
    client = join(token)
    _, task = add_task(stack, "after the bridge came back.bin", noise=1 << 20)
    _, config = until_finished(client, task)
    assert config["status"] == "completed"
    client.until("streaming_output", timeout=WITHIN)


def test_a_bridge_that_crashes_is_started_again_and_serves(stack, join):
    client = join()
    bridge = stack.containers()["bridge"]
    # Only from outside its own process namespace can the first process of a container be killed.
    stack.docker("run", "--rm", "--pid", "host", "--user", "0", "--network", "none", "--entrypoint", "sh",
                 f"{stack.project}/bridge", "-c", f"kill -KILL {bridge['State']['Pid']}")
    assert client.close_code() == 1006
    eventually(lambda: stack.containers()["bridge"]["RestartCount"] == 1, "the restart", timeout=WITHIN)
    stack.run("up", "--detach", "--wait", "--no-build", timeout=120)
    assert join().until("queue-update", timeout=WITHIN)


def test_nginx_says_that_the_bridge_is_away_and_tells_nobodys_token(stack):
    token = stack.settings["TRESTLE_AUTH_TOKEN"]
    stack.run("stop", "bridge")
    for path in ("/ws", "/plugin/ws"):  # while nginx knows the old address, and when it has to ask for it
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url(stack, path=f"{path}?token={token}"), timeout=12)
        code = refused.value.code
        assert code in (502, 504)  # refused, or no answer: which of them is up to the engine's network
        eventually(lambda: f'"GET {path}" {code}' in stack.run("logs", "front"), "the access log")
        time.sleep(6)  # nginx remembers an address for 5 s
    assert token not in stack.run("logs")
    stack.run("up", "--detach", "--wait", "--no-build", "--no-deps", "bridge", timeout=120)
    # A producer without its bridge for 30 s is called unhealthy, as it should be: nobody has to start it again.
    eventually(lambda: all_healthy(stack), "everybody to be healthy again", timeout=WITHIN)
