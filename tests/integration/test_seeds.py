"""The client examples of both seed documents, taken out of the documents here and run as they are written there.

One trestled with the shipped deploy/trestle-seeds.yaml serves both at once, in a network of the test's own: the documents
fix the ports 3001 and 8000."""
import os
import re
import shutil
import subprocess

import pytest

from harness.bridge import REPOSITORY
from harness.netns import Namespace
from harness.producer import Publisher
from harness.wait import eventually

NODE_TESTS = REPOSITORY / "tests/integration/node"


class Seed:
    """One document and the code blocks in it."""

    def __init__(self, text):
        self.text = text

    def block(self, language, marker):
        """The last block in that language that holds the marker."""
        blocks = re.findall(rf"^```{language}\n(.*?)^```", self.text, re.S | re.M)
        return [block for block in blocks if marker in block][-1]


@pytest.fixture
def seeds(shared):
    """(NZB Flow's WebSocket Server, Flock's WebSocketServerComponent)"""
    texts = [path.read_text(encoding="utf-8") for path in sorted((shared / "seeds").iterdir())]
    nzb = next(text for text in texts if "# WebSocket Server Documentation" in text)
    flock = next(text for text in texts if "# WebSocketServerComponent" in text)
    return Seed(nzb), Seed(flock)


@pytest.fixture
def served(seeds, make_bridge, closing):
    """A trestled with the shipped configuration; both documents' ports are those of this test's own network."""
    with closing(Namespace()).entered():
        shipped = (REPOSITORY / "deploy/trestle-seeds.yaml").read_text()
        env = {"TRESTLE_AUTH_TOKEN": "YOUR_TOKEN", "TRESTLE_LOG_FORMAT": "json", "TRESTLE_STREAM_PATH": ":memory:"}
        bridge = make_bridge(shipped, env=env)
        bridge.token = "YOUR_TOKEN"
        bridge.events_addr, bridge.control_addr = "tcp://127.0.0.1:5556", "tcp://127.0.0.1:5557"
        bridge.launch()
        bridge.port = 3001
        eventually(bridge.healthy, "trestled serving the seeds")
        yield bridge
        bridge.stop()


@pytest.fixture
def source(served, closing):
    return closing(Publisher(served.events_addr))


class Example:
    """A running example: what it has printed so far."""

    def __init__(self, command, folder, name, env=None):
        self.path = folder / f"{name}.printed"
        with open(self.path, "wb") as out:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                            env={**os.environ, **(env or {})})

    def printed(self):
        return self.path.read_text().splitlines()

    def prints(self, *lines):
        eventually(lambda: len(self.printed()) >= len(lines), f"{lines}; printed: {self.printed()}")
        assert self.printed() == list(lines)

    def close(self):
        self.process.kill()
        self.process.wait()


def node_has_websocket():
    answer = subprocess.run(["node", "--experimental-websocket", "-p", "typeof WebSocket"], capture_output=True, text=True,
                            check=False)
    return answer.stdout.strip() == "function"


# A global WebSocket as browsers have it: Node's own, or npm's ws put there before the example starts.
@pytest.fixture(params=["of node itself", "of npm's ws"])
def node(request):
    if request.param == "of npm's ws":
        if not (NODE_TESTS / "node_modules/ws").is_dir():
            pytest.skip(f"needs npm ci in {NODE_TESTS.relative_to(REPOSITORY)}")
        return ["node", "--require", str(NODE_TESTS / "global-websocket.cjs")]
    if not node_has_websocket():
        pytest.skip("this Node has no WebSocket of its own (20.10 and newer do)")
    return ["node", "--no-warnings", "--experimental-websocket"]


@pytest.fixture
def run_node(node, tmp_path, closing):
    def run(code, name):
        (tmp_path / f"{name}.js").write_text(code)
        return closing(Example([*node, str(tmp_path / f"{name}.js")], tmp_path, name, {"NODE_NO_WARNINGS": "1"}))
    return run


def joined(bridge, count):
    bridge.wait_status(lambda status: status["sessions_total"] == count, f"{count} clients")


PROGRESS = '{"type":"command-progress","id":"task-uuid","currentStep":"COMPRESSION","percentage":45.67}'
FINISHED = '{"type":"task-finished","taskConfig":{"id":"task-uuid","name":"my-post","status":"completed"}}'
QUEUE = '{"type":"queue-update","compressionActive":true,"uploadActive":false,"compressionRunning":2}'
STARTED = '{"type":"agent_execution_started","agent_id":"pizza_master","run_id":"r1","timestamp":"2025-10-31T12:00:00Z"}'
OUTPUT = ('{"type":"streaming_output","agent_id":"pizza_master","run_id":"r1","content":"Analyzing pizza toppings...",'
          '"is_complete":false}')
COMPLETED = ('{"type":"agent_execution_completed","agent_id":"pizza_master","run_id":"r1","duration_ms":1234.5,'
             '"status":"success"}')
ARTIFACT = ('{"type":"artifact_published","artifact_id":"a1","artifact_type":"Pizza","produced_by":"pizza_master",'
            '"correlation_id":"workflow-123"}')
GRAPH = '{"type":"graph_updated","nodes":[],"edges":[]}'


def test_nzb_flows_basic_monitoring(served, seeds, source, run_node):
    example = run_node(seeds[0].block("javascript", "case 'task-finished':"), "monitoring")
    joined(served, 1)
    for event in (QUEUE, PROGRESS, FINISHED):
        source.event(event)
    eventually(lambda: "Task completed: my-post" in example.printed(), "the end of the task")
    text = "\n".join(example.printed())
    for part in ("Queue status: {", "type: 'queue-update'", "compressionActive: true", "uploadActive: false",
                 "compressionRunning: 2"):
        assert part in text
    assert example.printed()[-2:] == ["Task task-uuid: 45.67%", "Task completed: my-post"]


def test_nzb_flows_connection_example(served, seeds, run_node):
    """One line that only connects: it gets in, and stays."""
    code = re.search(r"## Connection.*?```javascript\n(.*?)```", seeds[0].text, re.S)[1]
    example = run_node(code, "connection")
    joined(served, 1)
    assert example.process.poll() is None and example.printed() == []


def test_flocks_javascript_client(served, seeds, source, run_node):
    example = run_node(seeds[1].block("typescript", "case 'artifact_published':"), "flock")
    joined(served, 1)
    for event in (STARTED, OUTPUT, COMPLETED, ARTIFACT, GRAPH):
        source.event(event)
    lines = ["Connected to Flock WebSocket", "Agent pizza_master started", "Output: Analyzing pizza toppings...",
             "New artifact: Pizza"]
    example.prints(*lines)
    assert served.stop() == 0
    example.prints(*lines, "WebSocket connection closed")
    assert example.process.wait(5) == 0


def test_flocks_python_client(served, seeds, source, tmp_path, closing):
    (tmp_path / "flock.py").write_text(seeds[1].block("python", "websockets.connect("))
    example = closing(Example(["/usr/bin/python3", "-u", str(tmp_path / "flock.py")], tmp_path, "flock"))
    joined(served, 1)
    for event in (STARTED, OUTPUT, COMPLETED, ARTIFACT, GRAPH):
        source.event(event)
    example.prints("Connected to Flock WebSocket", "Agent pizza_master started", "Output: Analyzing pizza toppings...",
                   "New artifact: Pizza")
    assert served.stop() == 0
    assert example.process.wait(5) == 0                             # 1001 is a regular end for it


def test_both_at_once_and_each_sees_what_the_other_sees(served, seeds, source, run_node):
    nzb = run_node(seeds[0].block("javascript", "case 'task-finished':"), "monitoring")
    flock = run_node(seeds[1].block("typescript", "case 'artifact_published':"), "flock")
    joined(served, 2)
    for event in (STARTED, PROGRESS, ARTIFACT, FINISHED):
        source.event(event)
    nzb.prints("Task task-uuid: 45.67%", "Task completed: my-post")
    flock.prints("Connected to Flock WebSocket", "Agent pizza_master started", "New artifact: Pizza")


def test_a_wrong_token_gets_in_at_neither(served, seeds, run_node):
    code = seeds[0].block("javascript", "case 'task-finished':").replace("YOUR_TOKEN", "NOT_THE_TOKEN")
    example = run_node(code + "\nws.onclose = (event) => console.log(event.code);\n", "wrong")
    example.prints("4401")


def test_programs_are_there():
    for program in ("node", "ip"):
        assert shutil.which(program), f"{program} is missing: tests/run installs it"
