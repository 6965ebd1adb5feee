#!/usr/bin/python3
"""tests/lab/web.py - a web server as a script resource, and a client that counts what is lost.

As a program of a script resource it is called with start, stop or status.  The server writes a line
for each request to the pipe that it was started with, as most do: who closes that pipe breaks it.

    web.py ask ADDRESS FILE      # some 200 requests each second until it is killed, each a
                                 # connection of its own; a line for each: when, how long, by whom

Web and Client are the tests' ends of both.
"""

import os
import pathlib
import shutil
import signal
import socket
import sys
import time

PORT = 8080
EVERY_S = 0.005
# A pipe that nobody reads is full after three seconds of requests.
LINE_SIZE = 2000
# Before the kernel repeats a SYN that was lost (1 s): so one lost packet is one lost request.
PATIENCE_S = 0.9


def now():
    return time.clock_gettime(time.CLOCK_MONOTONIC)


# ---- the script resource ----

def pid_file():
    return pathlib.Path(__file__).with_name(f"{os.environ['YOKE_NODE']}.pid")


def server_pid():
    """Of the server that runs here; None: none does."""
    try:
        pid = int(pid_file().read_text())
        os.kill(pid, 0)
        return pid
    except (OSError, ValueError):
        return None


def serve(listener):
    name = os.environ["YOKE_NODE"].encode()
    while True:
        peer, _ = listener.accept()
        with peer:
            peer.recv(1000)
            print("GET / 200".ljust(LINE_SIZE), flush=True)
            peer.sendall(b"HTTP/1.0 200 OK\r\n\r\n" + name + b"\n")


def start():
    if server_pid():
        return 0
    listener = socket.create_server(("", PORT), backlog=1000)
    pid = os.fork()
    if pid == 0:
        os.setsid()
        serve(listener)
    pid_file().write_text(str(pid))
    return 0


def stop():
    pid = server_pid()
    if pid:
        os.kill(pid, signal.SIGKILL)
    pid_file().unlink(missing_ok=True)
    return 0


def status():
    return 0 if server_pid() else 3


# ---- the client ----

def request(address):
    """The name of the node that answered, or what went wrong in one word."""
    try:
        with socket.create_connection((address, PORT), timeout=PATIENCE_S) as peer:
            peer.sendall(b"GET / HTTP/1.0\r\n\r\n")
            answer = b""
            while not answer.endswith(b"\n") or answer.endswith(b"\r\n\r\n"):
                part = peer.recv(1000)
                if not part:
                    return "cut"
                answer += part
            return answer.split()[-1].decode()
    except OSError as error:
        return type(error).__name__


def ask(address, file):
    with open(file, "w", encoding="ascii", buffering=1) as out:
        due = now()
        while True:
            began = now()
            who = request(address)
            out.write(f"{began:.6f} {now() - began:.6f} {who}\n")
            due = max(due + EVERY_S, now() - EVERY_S)
            time.sleep(max(0.0, due - now()))


# ---- for the tests ----

GROUP = """group "web" {{
  exclusive = {exclusive}
  nodes = {{ "alpha", "beta" }}
  resource "vip" {{
    type = address
    address = "{address}/24"
    interface = "pub"
  }}
  resource "server" {{
    type = script
    program = "{program}"
    start_timeout_ms = 5000
    stop_timeout_ms = 5000
    monitor_interval_ms = 200
    monitor_failures = 1
    restarts = 0
  }}
}}
"""


class Web:
    """The server of both nodes."""

    def __init__(self, lab):
        self.dir = lab.dir / "web"
        self.dir.mkdir(exist_ok=True)
        self.dir.chmod(0o755)
        self.program = self.dir / "web"
        shutil.copy(__file__, self.program)
        self.program.chmod(0o755)

    def group(self, address, exclusive="no"):
        return GROUP.format(address=address, program=self.program, exclusive=exclusive)

    def pid(self, node):
        """The server's process number on a node; None: it does not run there."""
        try:
            pid = int((self.dir / f"{node.name}.pid").read_text())
            os.kill(pid, 0)
            return pid
        except (OSError, ValueError):
            return None


class Client:
    """Requests through the service address, from its start to its end."""

    def __init__(self, lab, address):
        self.file = lab.fast / "web.txt"
        self.file.unlink(missing_ok=True)
        self.process = lab.client.start("web", [sys.executable, __file__, "ask", address,
                                                self.file])

    def requests(self, since=0.0):
        """All of them that are over: when, how long it took, which node or what went wrong."""
        text = self.file.read_text() if self.file.exists() else ""
        rows = (line.split() for line in text[:text.rfind("\n") + 1].splitlines())
        return [(float(at), float(took), who) for at, took, who in rows if float(at) >= since]

    def served(self, since=0.0):
        return [row for row in self.requests(since) if row[2] in ("alpha", "beta")]

    def lost(self, since=0.0):
        return [row for row in self.requests(since) if row[2] not in ("alpha", "beta")]

    def close(self):
        self.process.stop()


if __name__ == "__main__":
    if sys.argv[1] == "ask":
        ask(sys.argv[2], sys.argv[3])
    sys.exit({"start": start, "stop": stop, "status": status}[sys.argv[1]]())
