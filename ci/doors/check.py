#!/usr/bin/env python3
"""Whether the tool ends well, whatever it is pointed at: `check.py SIO_CONFORMANCE`.

Exit codes are an interface, time and memory are bounded, and no server stays behind. One line a check, then
`N passed, N failed`; the exit code is 1 when any failed.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

TOOL = str(Path(sys.argv[1]).resolve()) if len(sys.argv) == 2 else sys.exit(__doc__)
HERE = Path(__file__).resolve().parent
SERVER = str(HERE / "server.py")
WITHIN = 120  # seconds one run may take; a command has twenty to get ready
FEW = 8  # cases at a time where a target never stops
MEMORY = 400  # MB that one run may hold; a case that is sent too much may keep 16 of it, and as much again to grow
SPEECH = 1  # MB that one run may print, however much it is sent
LEAVES = 10  # seconds after the tool's own end within which its server must be gone

UNEXPECTED, USAGE, NO_SERVER, NO_CASE = 1, 2, 3, 5
# Enough cases to meet a target with, few enough to wait for; and with more, every transport.
SOME = ["--filter", "rev1/handshake/*"]
MORE = ["--filter", "rev1/ack/*"]


class Failed(Exception):
    """What was seen, where something else was promised."""


def main():
    scratch = tempfile.TemporaryDirectory(prefix="doors-")
    checks = [*usage(Path(scratch.name)), *unreachable(), *judged(), *commands(Path(scratch.name))]
    with scratch, ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(lambda check: outcome(*check), checks))
    failed = outcomes.count(False)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


def outcome(name, check):
    start = time.monotonic()
    try:
        check()
    except Failed as failed:
        print(f"FAIL  {name}\n      " + str(failed).replace("\n", "\n      "), flush=True)
        return False
    print(f"ok    {name}  ({time.monotonic() - start:.1f} s)", flush=True)
    return True


# --- the checks: (name, function) ------------------------------------------------------------------------------------


def usage(scratch):
    """A wrong command line, and wrong files."""
    unreasoned = scratch / "unreasoned"
    unreasoned.write_text("rev1/handshake/*  fail\n")

    def door(name, code, *arguments):
        return name, lambda: ends(code, *arguments)

    yield door("an unknown option: 2", USAGE, "run", "--no-such-option")
    yield door("an unknown subcommand: 2", USAGE, "judge")
    yield door("a URL that is none: 2", USAGE, "run", "--url", "not a url")
    yield door("a URL and a command: 2", USAGE, "run", "--url", "http://127.0.0.1:1", "--", "true")
    yield door("an unknown generation: 2", USAGE, "run", "--generation", "rev0")
    yield door("an unknown transport: 2", USAGE, "run", "--transport", "pigeon")
    yield door("a patience of nothing: 2", USAGE, "run", "--patience", "0")
    yield door("a baseline that is not there: 2", USAGE, "run", "--baseline", str(scratch / "none"))
    yield door("a baseline line without a reason: 2", USAGE, "run", "--baseline", str(unreasoned))
    yield door("no case selected: 5", NO_CASE, "run", "--filter", "no/such/case")


def unreachable():
    """Nobody is there."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
    yield "a URL nobody listens on: 3", lambda: ends(NO_SERVER, "run", *SOME, "--url", url)
    yield "a command that is not there: 3", lambda: ends(NO_SERVER, "run", *SOME, "--", "/no/such/server")
    yield "a command that is no program: 3", lambda: ends(NO_SERVER, "run", *SOME, "--", str(HERE))
    yield "a command that ends at once: 3", lambda: ends(NO_SERVER, "run", *SOME, "--", "true")
    yield "a command that fails at once: 3", lambda: ends(NO_SERVER, "run", *SOME, "--", "false")


def judged():
    """A target that can be reached is judged, however it behaves."""
    for mode in ("garbage", "hangs", "closes", "half-a-status-line", "endless-head", "endless-body", "endless-packets"):

        def check(mode=mode):
            jobs = ["--jobs", str(FEW)] if mode.startswith("endless") else []
            with misbehaving(mode) as url:
                ends(UNEXPECTED, "run", *SOME, *MORE, *jobs, "--url", url)

        yield f"a target that answers like this, {mode}: 1", check


def commands(scratch):
    """A server that the tool starts is gone when the tool is, whatever the tool ended of."""
    for mode, code in (("never-ready", NO_SERVER), ("endless-output", NO_SERVER), ("garbage", UNEXPECTED)):

        def check(mode=mode, code=code):
            pid_file = scratch / f"{mode}.pid"
            ends(code, "run", *SOME, "--", sys.executable, SERVER, mode, str(pid_file))
            leaves(pid_file)

        yield f"a command that behaves like this, {mode}: {code}", check

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):

        def check(number=number):
            pid_file = scratch / f"{number.name}.pid"
            tool = start("run", *SOME, "--", sys.executable, SERVER, "hangs", str(pid_file))
            deadline = time.monotonic() + LEAVES
            while not (pid_file.exists() and pid_file.read_text()):
                if tool.poll() is not None or time.monotonic() > deadline:
                    tool.kill()
                    tool.wait()
                    raise Failed("the server was not started")
                time.sleep(0.02)
            tool.send_signal(number)
            try:
                tool.wait(LEAVES)
            except subprocess.TimeoutExpired:
                tool.kill()
                tool.wait()
                raise Failed(f"still there {LEAVES} s after {number.name}") from None
            leaves(pid_file)

        yield f"no server is left behind after {number.name}", check


# --- what the checks are made of -------------------------------------------------------------------------------------


def start(*arguments):
    """The tool, in a group of its own; its output goes to a file, since a pipe nobody reads could stop it."""
    output = tempfile.TemporaryFile()
    tool = subprocess.Popen(
        [TOOL, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
    )
    tool.output = output
    return tool


def ends(code, *arguments):
    """Runs the tool and compares its exit code; it must say something when that is not 0."""
    tool = start(*arguments)
    deadline = time.monotonic() + WITHIN
    while True:
        pid, status, usage = os.wait4(tool.pid, os.WNOHANG)
        if pid:
            break
        if time.monotonic() > deadline:
            os.killpg(tool.pid, signal.SIGKILL)
            tool.wait()
            raise Failed(f"not ended after {WITHIN} s")
        time.sleep(0.02)
    tool.returncode = os.waitstatus_to_exitcode(status)
    tool.output.seek(0)
    said = tool.output.read().decode(errors="replace").strip()
    megabytes = usage.ru_maxrss // 1024
    if tool.returncode != code:
        raise Failed(f"exit code {tool.returncode}, expected {code}; it said:\n{said[-2000:]}")
    if not said:
        raise Failed("it said nothing")
    if len(said) > SPEECH << 20:
        raise Failed(f"it said {len(said) >> 20} MB, more than {SPEECH}")
    if megabytes > MEMORY:
        raise Failed(f"it held {megabytes} MB, more than {MEMORY}")


def leaves(pid_file):
    """The process that wrote this file is gone, or goes soon."""
    pid = int(pid_file.read_text())
    deadline = time.monotonic() + LEAVES
    while running(pid):
        if time.monotonic() > deadline:
            os.kill(pid, signal.SIGKILL)
            raise Failed(f"its server is still there {LEAVES} s later")
        time.sleep(0.02)


def running(pid):
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


class misbehaving:
    """A misbehaving server for `with`; the value is its URL."""

    def __init__(self, mode):
        self.mode = mode

    def __enter__(self):
        command = ["setpriv", "--pdeathsig", "KILL", "--", sys.executable, SERVER, self.mode]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PORT": "0"})
        return json.loads(self.process.stdout.readline())["listening"]

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


if __name__ == "__main__":
    main()
