"""A Docker engine to try deploy/ on: one that runs here, or a private one; and one project of Docker Compose."""
import contextlib
import fcntl
import json
import os
import pathlib
import re
import shutil
import subprocess

import yaml

from .bridge import REPOSITORY, bridge_environment

DEPLOY = REPOSITORY / "deploy"


class NoEngine(Exception):
    """There is no engine, and none can be had; the text says why."""


def _answers(command, env):
    return subprocess.run(command, env=env, capture_output=True, timeout=30, check=False).returncode == 0


def _usable(env):
    return _answers(["docker", "info"], env) and _answers(["docker", "compose", "version"], env)


@contextlib.contextmanager
def engine():
    """The environment in which `docker compose` reaches an engine; raises NoEngine.

    An engine that runs already is used as it is. Without one, TRESTLE_DOCKER_RIG (default: tools/docker-rig in the
    shared folder) is a program: `up FOLDER` starts a private engine there and prints its environment as
    `export NAME=VALUE…`, `down FOLDER` stops it. What it has fetched and built is kept in TRESTLE_DOCKER_FOLDER
    (default: ~/.cache/trestle/docker), so that the next run is quicker."""
    if shutil.which("docker") is None:
        raise NoEngine("there is no docker command")
    env = bridge_environment({})
    if _usable(env):
        yield env
        return
    shared = pathlib.Path(os.environ.get("TRESTLE_SHARED") or REPOSITORY.parent / "shared")
    rig = pathlib.Path(os.environ.get("TRESTLE_DOCKER_RIG") or shared / "tools/docker-rig")
    if not os.access(rig, os.X_OK):
        raise NoEngine(f"no Docker engine with compose runs here, and there is no {rig} to start one")
    folder = pathlib.Path(os.environ.get("TRESTLE_DOCKER_FOLDER") or pathlib.Path.home() / ".cache/trestle/docker")
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield from _private_engine(rig, folder, env)


def _private_engine(rig, folder, env):
    try:
        # Into files: the engine that stays behind would hold a pipe open.
        with open(folder / "up", "wb") as out, open(folder / "errors", "wb") as errors:
            code = subprocess.run([rig, "up", folder], env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=errors,
                                  timeout=420, check=False).returncode
        own = {**env, **dict(re.findall(r"(\w+)=(\S+)", (folder / "up").read_text()))}
        if code != 0 or not _usable(own):
            said = (folder / "errors").read_text()[-500:]
            raise NoEngine(f"{rig} could not start an engine (exit code {code}): {said}")
        yield own
    finally:
        subprocess.run([rig, "down", folder], env=env, capture_output=True, timeout=60, check=False)


class Compose:
    """One project of deploy/docker-compose.yml, with images and names of its own."""

    def __init__(self, env, folder, settings):
        self.project = f"trestle-test-{os.getpid()}"
        self.settings = settings
        self._env = {**env, **settings}
        services = yaml.safe_load((DEPLOY / "docker-compose.yml").read_text())["services"]
        self.services = sorted(services)
        # The host's network while building: the engine may have no other way to a package mirror.
        override = {name: {"image": f"{self.project}/{name}", "build": {"network": "host"}} for name in services}
        file = folder / "override.yml"
        file.write_text(yaml.safe_dump({"services": override}))
        self._compose = ["docker", "compose", "--project-name", self.project, "--env-file", "/dev/null",
                         "--file", str(DEPLOY / "docker-compose.yml"), "--file", str(file)]

    def try_run(self, *words, timeout=60, env=None):
        """Runs `docker compose WORDS…` with bytes for output, whatever its exit code."""
        return subprocess.run([*self._compose, *words], env=env or self._env, stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=timeout, check=False)

    def bytes(self, *words, timeout=60):
        done = self.try_run(*words, timeout=timeout)
        assert done.returncode == 0, f"compose {' '.join(words)}: exit code {done.returncode}\n{self._ends(done)}"
        return done.stdout

    def run(self, *words, timeout=60):
        return self.bytes(*words, timeout=timeout).decode()

    def without(self, setting, *words):
        """Like try_run, with one setting left out."""
        return self.try_run(*words, env={name: value for name, value in self._env.items() if name != setting})

    def execute(self, service, *command):
        return self.run("exec", "-T", service, *command)

    def docker(self, *words):
        return subprocess.run(["docker", *words], env=self._env, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, check=True).stdout

    def containers(self):
        """What `docker inspect` says, by service."""
        ids = self.run("ps", "--all", "--quiet").split()
        found = json.loads(self.docker("inspect", *ids))
        return {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}

    def up(self):
        self.run("build", timeout=1100)
        try:
            self.run("up", "--detach", "--wait", "--no-build", timeout=120)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.run('logs', '--tail', '20')}") from None

    def down(self):
        self.run("down", "--volumes", "--rmi", "all", "--timeout", "5", timeout=120)

    @staticmethod
    def _ends(done):
        return done.stdout.decode(errors="replace")[-3000:] + done.stderr.decode(errors="replace")[-3000:]
