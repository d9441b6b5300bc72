"""The clients of python-socketio 5 against a server that runs the contract application:

    ./check http://127.0.0.1:3000 [path of sio-reference-server]

Every check runs with the client for asyncio and with the one for threads, over polling, over WebSocket, and over polling
that is upgraded to WebSocket. One line a check, then `N passed, N failed`; the exit code is 1 when any failed. With CHECKS
in the environment, only those whose line contains it.
"""

import asyncio
import inspect
import logging
import os
import sys

import engineio.payload

import checks
from bench import Bench, KINDS, TRANSPORTS

# The client refuses longer payloads of polling unless it is told otherwise; servers send what they have.
engineio.payload.Payload.max_decode_packets = 10_000

# What it logs when a connection is lost is no news here: each check says what it expects.
logging.disable()

CHECKS = [check for _, check in inspect.getmembers(checks, inspect.iscoroutinefunction) if check.__module__ == "checks"]
CHECKS.sort(key=lambda check: check.__code__.co_firstlineno)

WANTED = os.environ.get("CHECKS", "")
LIMIT = 60  # s that one check may take in all


async def main():
    if len(sys.argv) < 2:
        print("usage: check URL [SERVER]", file=sys.stderr)
        return 2
    url, server = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else None
    lanes = [lane(url, server, kind, transport) for kind in KINDS for transport in TRANSPORTS]
    outcomes = [passed for lane in await asyncio.gather(*lanes) for passed in lane]
    if not outcomes:
        print(f"no check's line contains {WANTED}", file=sys.stderr)
        return 2
    failed = outcomes.count(False)
    print(f"{len(outcomes) - failed} passed, {failed} failed")
    return 1 if failed else 0


async def lane(url, server, kind, transport):
    outcomes = []
    for check in CHECKS:
        if (getattr(check, "needs_server", False) and not server) or kind not in getattr(check, "kinds", KINDS):
            continue
        name = f"{kind} {transport}: {check.__name__.replace('_', ' ')}"
        if WANTED in name:
            outcomes.append(await passes(name, check, Bench(url, server, kind, transport)))
    return outcomes


async def passes(name, check, bench):
    try:
        await asyncio.wait_for(check(bench), LIMIT)
        print(f"ok    {name}", flush=True)
        return True
    except Exception as error:
        what = str(error) or type(error).__name__
        print(f"FAIL  {name}\n      " + what.replace("\n", "\n      "), flush=True)
        return False
    finally:
        await bench.tidy()


sys.exit(asyncio.run(main()))
