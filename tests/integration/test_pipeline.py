"""The main job, end to end: real 7z, par2, curl and nginx, and what a client sees of them."""
import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time

import pytest

from harness.bridge import BINARY, REPOSITORY
from harness.curve import KeyList, Keys
from harness.pipeline import Pipeline, alive
from harness.tokens import tokens
from harness.wait import PATIENCE, TIMEOUT, eventually

STEPS = ["COMPRESSION", "PAR_CREATION", "UPLOADING"]
TASK_WITHIN = 60 * PATIENCE  # 7z and par2 on a busy machine

pytestmark = pytest.mark.skipif(shutil.which("par2") is None, reason="needs the Debian packages 7zip, par2 and nginx")


@pytest.fixture
def pipeline(bridge, tmp_path, closing):
    """pipeline(option…): everything but the agent, publishing to `bridge`."""
    def start(*options, to=bridge, agent=False):
        return closing(Pipeline(tmp_path / "pipeline", to, *([] if agent else ["--no-agent"]), *options))
    return start


@pytest.fixture
def sample(tmp_path):
    """sample("name", random MiB, compressible MiB): a file."""
    def make(name="sample.bin", noise=3, text=3):
        path = tmp_path / name
        path.write_bytes(os.urandom(noise << 20) + b"the same again and again\n" * (text * 40000))
        return path
    return make


def until_finished(client, task, timeout=TASK_WITHIN):
    """Everything up to the task's end, and that end's taskConfig."""
    seen = []
    deadline = time.monotonic() + timeout
    while True:
        envelope = client.json(max(0.01, deadline - time.monotonic()))
        data = envelope["data"]
        seen.append(envelope)
        if data["type"] == "task-finished" and data["taskConfig"]["id"] == task:
            return seen, data["taskConfig"]


def percentages(envelopes, task, step):
    return [envelope["data"]["percentage"] for envelope in envelopes
            if envelope["data"]["type"] == "command-progress" and envelope["data"]["id"] == task
            and envelope["data"]["currentStep"] == step]


def seven_zip():
    return shutil.which("7z") or shutil.which("7zz")


def unpacked(folder, archive):
    subprocess.run([seven_zip(), "x", "-y", f"-o{folder}", str(archive)], check=True, stdout=subprocess.DEVNULL)
    return folder


def test_a_file_is_packed_protected_and_uploaded_before_a_clients_eyes(bridge, connect, pipeline, sample, tmp_path):
    source = sample("a file with ünusual {name}.bin")
    client = connect(bridge, meta="1")
    work = pipeline("--limit-rate", "4M")
    (task,) = work.add(source)
    seen, config = until_finished(client, task)

    for step in STEPS:
        rising = percentages(seen, task, step)
        assert rising[0] < 100 and rising[-1] == 100, (step, rising)
        assert rising == sorted(set(rising)), (step, rising)
    assert len(percentages(seen, task, "UPLOADING")) > 5
    order = [envelope["data"]["currentStep"] for envelope in seen if envelope["data"]["type"] == "command-progress"]
    assert order == sorted(order, key=STEPS.index)

    uploaded = work.uploads / task
    archive = uploaded / (source.name + ".7z")
    assert (unpacked(tmp_path / "out", archive) / source.name).read_bytes() == source.read_bytes()
    verified = subprocess.run(["par2", "verify", "--", archive.name + ".par2"], cwd=uploaded, capture_output=True,
                              text=True, check=False)
    assert verified.returncode == 0 and "All files are correct" in verified.stdout, verified.stdout
    assert sorted(config["rarParFiles"]) == sorted(path.name for path in uploaded.iterdir())

    assert config["name"] == source.name and config["status"] == "completed" and config["error"] == ""
    assert "Everything is Ok" in config["rarCommandOutput"]["output"]
    assert "Writing verification packets" in config["parCommandOutput"]["output"]
    assert f"201 {archive.stat().st_size} bytes" in config["nyuuCommandOutput"]["output"]
    for tool, name in (("rar", "7z"), ("par", "par2"), ("nyuu", "curl")):
        output = config[f"{tool}CommandOutput"]
        assert output["exitCode"] == 0 and output["finished"] and output["lastKnownProgress"] == 100
        assert name in output["executedCommand"].split()[0]
        assert output["startedAt"] < output["finishedAt"]


def test_progress_is_limited_to_ten_events_a_second(bridge, connect, pipeline, sample):
    client = connect(bridge, meta="1", topics="command-progress.*,task-finished.*")
    (task,) = pipeline("--limit-rate", "2M").add(sample(noise=5, text=0))
    seen, _ = until_finished(client, task)
    for step in STEPS:
        times = [envelope["meta"]["time"] for envelope in seen if envelope["data"].get("currentStep") == step]
        # The step's end is told at once; all before it keep their distance.
        gaps = [later - earlier for earlier, later in zip(times, times[1:-1])]
        assert all(gap >= 95_000 for gap in gaps), (step, gaps)


def test_the_queues_are_told_whole_as_they_change(bridge, connect, pipeline, sample):
    client = connect(bridge)
    work = pipeline()
    client.until("queue-update", timeout=TASK_WITHIN)
    work.ctl("pause", "upload")
    client.until("queue-update", uploadActive=False)
    work.ctl("pause", "compression")
    first, second = work.add(sample("one", 1, 0), sample("two", 1, 0))
    update = client.until("queue-update", compressionQueued=2)["data"]
    assert update.keys() == {"type"} | {
        queue + member for queue in ("compression", "upload")
        for member in ("Active", "Running", "RunningConfigs", "Queued", "QueuedConfigs")}
    assert [config["id"] for config in update["compressionQueuedConfigs"]] == [first, second]
    assert update["compressionActive"] is False and update["compressionRunning"] == 0

    work.ctl("resume", "compression")
    update = client.until("queue-update", compressionRunning=1, compressionQueued=1)["data"]
    assert update["compressionRunningConfigs"][0]["id"] == first
    update = client.until("queue-update", uploadQueued=2, timeout=TASK_WITHIN)["data"]
    assert update["compressionRunning"] == update["compressionQueued"] == update["uploadRunning"] == 0
    work.ctl("resume", "upload")
    client.until("task-finished", timeout=TASK_WITHIN)
    client.until("task-finished", timeout=TASK_WITHIN)
    client.until("queue-update", uploadRunning=0, uploadQueued=0)


def test_a_client_that_joins_in_the_middle_sees_the_present_and_nothing_that_is_over(bridge, connect, pipeline, sample):
    early = connect(bridge, meta="1")
    work = pipeline("--limit-rate", "1M")
    (over,) = work.add(sample("over", 0, 1))
    until_finished(early, over)
    (task,) = work.add(sample("running", 6, 0))
    early.until("command-progress", id=task, currentStep="UPLOADING", timeout=TASK_WITHIN)

    late = connect(bridge, meta="1")
    snapshot = [data for data in late.collect("live") if data["type"] in ("queue-update", "command-progress")]
    assert sorted(data["type"] for data in snapshot) == ["command-progress", "queue-update"]
    for data in snapshot:
        if data["type"] == "command-progress":
            assert data["id"] == task and data["currentStep"] == "UPLOADING"
        else:
            assert [config["id"] for config in data["uploadRunningConfigs"]] == [task]
    until_finished(late, task)
    types = [data["type"] for data in connect(bridge, meta="1").collect("live")]
    assert "command-progress" not in types and "queue-update" in types


def test_with_curve_all_of_them_prove_who_they_are(trestled, connect, pipeline, sample, tmp_path):
    keys, ours = Keys(tmp_path, "bridge"), Keys(tmp_path, "ours")
    listed = KeyList(tmp_path / "producers.yaml", ours)
    bridge = trestled({"ingest": {"curve": {"secret_key_file": str(keys.file), "producers_file": str(listed.path)}}})
    client = connect(bridge)
    work = pipeline("--curve-key", ours.file, "--curve-server", f"{keys.file}.pub", to=bridge, agent=True)
    assert client.until("agent_execution_started", timeout=TASK_WITHIN)
    (task,) = work.add(sample("small", 1, 0))
    seen, config = until_finished(client, task)
    assert config["status"] == "completed"
    assert {envelope["data"]["type"] for envelope in seen} >= {"queue-update", "command-progress"}
    assert bridge.status()["curve"] == {"listed": 1, "refused": 0}
    for pid in work.pids().values():
        with open(f"/proc/{pid}/cmdline", "rb") as line:
            assert ours.secret.encode() not in line.read()


@pytest.mark.parametrize("options", [["--curve-key", "a.key"], ["--curve-server", "b.pub"]])
@pytest.mark.parametrize("program", ["run", "agent.py"])
def test_half_of_curve_is_none(program, options):
    done = subprocess.run([sys.executable, REPOSITORY / "clients/pipeline" / program, *options], capture_output=True, text=True,
                          timeout=TASK_WITHIN, check=False)
    assert done.returncode == 2 and "needs both --curve-key and --curve-server" in done.stderr


def test_a_killed_compressor_is_lost_and_its_task_is_taken_up_again(trestled, connect, pipeline, sample):
    file, (admin,) = tokens({"name": "operator", "scopes": ["admin", "read"]})
    bridge = trestled({"auth": {"token": None}}, files={"tokens.yaml": file})
    bridge.token = admin
    client, presence = connect(bridge), connect(bridge, topics="$sys.producer.*", meta="1")
    work = pipeline("--compressors", 2, "--no-restart", "--lease-ms", 2000, "--level", 9, to=bridge)
    (task,) = work.add(sample("large", 12, 0))
    client.until("command-progress", id=task, currentStep="COMPRESSION", timeout=TASK_WITHIN)
    first = queues_of(work)["compressionRunningConfigs"][0]["worker"]
    tool = eventually(lambda: children(work.pids()[first]), "7z running as the compressor's child")
    work.kill(first)
    eventually(lambda: not any(map(alive, tool)), "7z ending with its worker")

    lost = presence.until("$sys.producer", id=first, state="lost", timeout=3 * TIMEOUT)
    assert lost["meta"]["topic"] == f"$sys.producer.{first}"
    _, config = until_finished(client, task)
    assert config["status"] == "completed"
    assert config["rarParFolderPath"].endswith("/2"), "the second lease's folder"
    assert client.is_open


def test_a_worker_that_is_told_to_stop_gives_its_task_back_at_once(bridge, connect, pipeline, sample):
    client = connect(bridge)
    work = pipeline("--compressors", 2, "--no-restart", "--lease-ms", 600_000, "--level", 9)
    (task,) = work.add(sample("large", 12, 0))
    client.until("command-progress", id=task, currentStep="COMPRESSION", timeout=TASK_WITHIN)
    first = queues_of(work)["compressionRunningConfigs"][0]["worker"]
    pid = work.pids()[first]
    work.kill(first, signal.SIGTERM)
    eventually(lambda: not alive(pid), "the compressor stopping")
    _, config = until_finished(client, task)
    assert config["status"] == "completed"


def test_an_upload_survives_a_server_that_comes_back(bridge, connect, pipeline, sample):
    client = connect(bridge)
    work = pipeline("--limit-rate", "2M")
    (task,) = work.add(sample("large", 8, 0))
    client.until("command-progress", id=task, currentStep="UPLOADING", timeout=TASK_WITHIN)
    work.kill("nginx")
    waiting = client.until("queue-update", uploadQueued=1, timeout=TASK_WITHIN)["data"]["uploadQueuedConfigs"][0]
    assert waiting["error"].startswith("curl failed with exit code")
    _, config = until_finished(client, task)
    assert config["status"] == "completed" and config["attempt"] == 2


def test_a_task_that_cant_be_done_fails_with_what_the_tool_said(bridge, connect, pipeline, sample):
    client = connect(bridge)
    work = pipeline()
    work.ctl("pause", "compression")
    source = sample("short-lived", 1, 0)
    (task,) = work.add(source)
    source.unlink()
    work.ctl("resume", "compression")
    seen, config = until_finished(client, task)
    assert config["status"] == "failed" and config["error"].startswith("7z failed with exit code")
    assert "short-lived" in config["rarCommandOutput"]["error"]
    assert config["parCommandOutput"]["started"] is False and config["parCommandOutput"]["exitCode"] is None
    assert 100 not in percentages(seen, task, "COMPRESSION")


def test_what_is_not_there_cannot_be_added(pipeline, tmp_path):
    work = pipeline()
    refused = subprocess.run([BINARY.parent / "trestle-queue", "ctl", "--queue", work.queue, "add", tmp_path / "none"],
                             capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert refused.returncode == 1 and "none: no such file or folder" in refused.stderr


def test_the_pipeline_goes_on_without_its_bridge_and_is_caught_up_with(bridge, connect, pipeline, sample):
    client = connect(bridge)
    work = pipeline("--limit-rate", "2M")
    (task,) = work.add(sample("large", 8, 0))
    client.until("command-progress", id=task, currentStep="UPLOADING", timeout=TASK_WITHIN)
    bridge.kill9()
    bridge.restart()
    again = connect(bridge)
    _, config = until_finished(again, task)
    assert config["status"] == "completed"
    again.until("queue-update", uploadRunning=0, timeout=TASK_WITHIN)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_the_launcher_leaves_no_process_behind(bridge, connect, pipeline, sample, number):
    client = connect(bridge)
    work = pipeline("--level", 9, agent=True)
    (task,) = work.add(sample("large", 12, 0))
    client.until("command-progress", id=task, timeout=TASK_WITHIN)
    started = work.all_pids()
    assert len(started) == 5  # nginx, queue, compressor, uploader, agent
    tools = [child for pid in started for child in children(pid)]
    code = work.stop(number)
    assert code == (-signal.SIGKILL if number == signal.SIGKILL else 0), work.output()
    eventually(lambda: not any(map(alive, started + tools)), "everything gone")


def test_a_dead_process_is_started_again(pipeline):
    work = pipeline()
    before = work.pids()["uploader-1"]
    work.kill("uploader-1")
    eventually(lambda: work.pids()["uploader-1"] != before, "another uploader")


def test_the_agent_tells_all_five_kinds_of_events_to_a_bare_client(bridge, connect):
    client = connect(bridge, path="/plugin/ws")
    agent = subprocess.run([sys.executable, REPOSITORY / "clients/pipeline/agent.py", "--once", "--pace", "0.001",
                            "--events", bridge.events_addr], timeout=TASK_WITHIN, check=False)
    assert agent.returncode == 0
    events = []
    while sum(event["type"] == "agent_execution_completed" for event in events) < 3:
        events.append(client.json())
    started = next(event for event in events if event["type"] == "agent_execution_started")
    run = [event for event in events if event.get("run_id") == started["run_id"]]
    kinds = [event["type"] for event in run]
    assert kinds[0] == "agent_execution_started" and kinds[-1] == "agent_execution_completed"
    assert kinds[-2] == "artifact_published"
    streamed = [event for event in run if event["type"] == "streaming_output"]
    assert [event["is_complete"] for event in streamed] == [False] * (len(streamed) - 1) + [True]
    assert "eleven minutes" in "".join(event["content"] for event in streamed)
    graphs = [event for event in events if event["type"] == "graph_updated"]
    assert len(graphs[-1]["nodes"]) == 6 and len(graphs[-1]["edges"]) == 5


def queues_of(work):
    return json.loads(work.ctl("list", "--json"))["queues"]


def children(pid):
    """The processes whose parent is `pid`."""
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()[1] == str(pid):
                found.append(int(folder.name))
    return found
