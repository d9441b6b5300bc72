#!/usr/bin/env python3
"""A server that misbehaves: `server.py MODE [PID_FILE]`, with PORT (0 for a free one) in the environment.

Prints the readiness line, except in the modes about starting. PID_FILE gets its process id. SIGTERM is ignored, as by a
server that is stuck.
"""

import base64
import hashlib
import json
import os
import signal
import socketserver
import sys
import time
from itertools import count

CHUNK = b"x" * 65536
HANDSHAKE = b"sid:2:2:websocket,xhr-polling"


class Connection(socketserver.StreamRequestHandler):
    def handle(self):
        try:
            MODES[mode](self)
        except OSError:
            pass  # the client left

    def head(self):
        """The next request: its target and its headers, names in lower case."""
        target = self.rfile.readline(65536).decode("latin1").split(" ")[1:2]
        headers = {}
        while (line := self.rfile.readline(65536).decode("latin1").strip()):
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        if not target:
            raise OSError
        return target[0], headers

    def garbage(self):
        self.connection.recv(65536)
        self.wfile.write(bytes(range(256)) * 16)

    def hangs(self):
        while self.connection.recv(65536):
            pass

    def closes(self):
        pass

    def half_a_status_line(self):
        self.connection.recv(65536)
        self.wfile.write(b"HTTP/1.1 2")
        self.hangs()

    def endless_head(self):
        self.connection.recv(65536)
        self.wfile.write(b"HTTP/1.1 200 OK\r\n")
        for n in count():
            self.wfile.write(b"x-%d: " % n + CHUNK + b"\r\n")

    def endless_body(self):
        self.connection.recv(65536)
        self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
        while True:
            self.wfile.write(CHUNK)

    def endless_packets(self):
        """A handshake as it should be; then a poll or a WebSocket that never stops talking."""
        while True:
            target, headers = self.head()
            if target.split("?")[0].rstrip("/") == "/socket.io/1":
                self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(HANDSHAKE) + HANDSHAKE)
                continue
            if "sec-websocket-key" in headers:
                digest = hashlib.sha1(headers["sec-websocket-key"].encode() + WEBSOCKET).digest()
                self.wfile.write(
                    b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                    b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
                )
                frames = (b"\x81\x031::" if n == 0 else b"\x81\x053:::x" for n in count())
            else:
                self.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                frames = (b"20000\r\n" + CHUNK + CHUNK + b"\r\n" for _ in count())
            for frame in frames:
                self.wfile.write(frame)


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass


WEBSOCKET = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
MODES = {
    "garbage": Connection.garbage,
    "hangs": Connection.hangs,
    "closes": Connection.closes,
    "half-a-status-line": Connection.half_a_status_line,
    "endless-head": Connection.endless_head,
    "endless-body": Connection.endless_body,
    "endless-packets": Connection.endless_packets,
    "never-ready": None,
    "endless-output": None,
}


def main():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    if len(sys.argv) > 2:
        with open(sys.argv[2], "w", encoding="ascii") as file:
            file.write(str(os.getpid()))
    if mode == "never-ready":
        time.sleep(600)
    while mode == "endless-output":
        sys.stdout.write("starting, please wait\n" * 1000)
    with Server(("127.0.0.1", int(os.environ.get("PORT", "0"))), Connection) as server:
        print(json.dumps({"listening": f"http://127.0.0.1:{server.server_address[1]}"}), flush=True)
        server.serve_forever()


if __name__ == "__main__":
    mode = sys.argv[1]
    main()
