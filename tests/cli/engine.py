"""A stand-in for the engine: the control socket's language, spoken by a script of the test.

It answers requests from a snapshot and a list of events, and misbehaves on demand.  Nothing here
waits for time to pass: tests wait for what they expect, with a bound.
"""

import json
import os
import socket
import threading

WALL_MS = 1_800_000_000_000
BOUND_S = 20
CONF = """cluster { name = shop dead_ms = 1000 }
node alpha { path p { address = 10.1.0.1 } path q { address = 10.2.0.1 } }
node beta { path p { address = 10.1.0.2 } path q { address = 10.2.0.2 } }
group web {
  exclusive = no
  resource ip { type = address address = "10.3.0.1/24" interface = e0 }
  resource more { type = address address = "10.3.0.2/24" interface = e0 }
}
"""


def snapshot(**changes):
    """Two nodes, one path, one group on alpha."""
    taken = {
        "cluster": "shop", "version": "0.1.0", "self": 1, "condition": "ok",
        "text": "both nodes are online", "taken_wall_ms": WALL_MS,
        "engine_started_wall_ms": WALL_MS - 7_200_000, "last_event": 0,
        "interval_ms": 100, "dead_ms": 1000, "late_ms": 500, "snmp_set": False,
        "realtime": True, "control_lock": 0,
        "nodes": [
            {"name": "alpha", "state": "online", "config_same": True, "version": "0.1.0"},
            {"name": "beta", "state": "online", "config_same": True, "version": "0.1.0",
             "paths_up": 1, "changed_wall_ms": WALL_MS - 5000},
        ],
        "groups": [{"name": "web", "owner": 1, "preferred": 1, "term": 7, "state": "started",
                    "condition": "ok", "changed_wall_ms": WALL_MS - 180_000,
                    "reason": "preferred node"}],
        "paths": [{"node": 2, "path": 1, "name": "eth1", "type": "udp",
                   "role": "private", "interval_ms": 100, "state": "up",
                   "rtt_us": 240,
                   "loss_permille": 3, "local": "10.0.1.1:4747", "remote": "10.0.1.2:4747"}],
        "members": [
            {"group": 1, "node": 1, "rank": 1, "state": "started", "ready": True},
            {"group": 1, "node": 2, "rank": 2, "state": "stopped", "ready": False,
             "reason": "eth0 has no carrier"},
        ],
        "resources": [{"group": 1, "name": "web-ip", "type": "address",
                       "text": "192.0.2.10/24 on eth0", "state": ["started", "stopped"],
                       "usable": True}],
        "operations": [],
    }
    taken.update(changes)
    return taken


class Engine:
    """Serves until close(); every request that came is in self.requests."""

    def __init__(self, path):
        self.path = str(path)
        self.snapshot = snapshot()
        self.events = []
        self.requests = []
        self.override = {}  # "do" -> bytes to send instead (b"": nothing), or a function of self
        self.outcome = "succeeded"  # of operations; None: they never end
        self.kicks = True
        self.changed = threading.Condition()
        self.clients = []
        self.subscribed = []
        self.listen()

    def listen(self):
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.server.bind(self.path)
        os.chmod(self.path, 0o660)
        self.server.listen(8)
        self.accepting = threading.Thread(target=self._accept, args=(self.server,), daemon=True)
        self.accepting.start()

    def _accept(self, server):
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            self.clients.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def close(self):
        """As a killed engine: every connection ends, the socket's file stays."""
        # shutdown() ends the accept() of the other thread, close() alone would not.
        if self.server.fileno() < 0:
            return
        self.server.shutdown(socket.SHUT_RDWR)
        # Else it may accept for the next one, whose socket has the same number.
        self.accepting.join(BOUND_S)
        assert not self.accepting.is_alive()
        self.server.close()
        for client in self.clients:
            try:
                client.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            client.close()
        self.clients, self.subscribed = [], []

    def restart(self):
        os.unlink(self.path)
        self.listen()

    def _serve(self, client):
        try:
            for line in client.makefile("rb"):
                request = json.loads(line)
                with self.changed:
                    self.requests.append(request)
                    if request["do"] == "subscribe":
                        self.subscribed.append(client)
                    answer = self._answer(request)
                    self.changed.notify_all()
                if callable(answer):
                    answer(client)
                else:
                    client.sendall(answer)
        except (OSError, ValueError):
            pass

    def _answer(self, request):
        do = request["do"]
        if do in self.override:
            return self.override[do]
        answer = {"ok": True}
        if do in ("status", "pull"):
            self.snapshot["last_event"] = len(self.events)
            answer["snapshot"] = self.snapshot
        if do in ("pull", "events"):
            answer["missed"] = 0
            answer["events"] = self.events[request["after"]:][:64]
        if do in ("switch", "failback", "standby", "online", "confirmDown", "maintenance",
                  "resume"):
            number = (1 << 24) + 1 + len(self.snapshot["operations"])
            answer["operation"] = number
            self._operation(number, do)
        return json.dumps(answer, separators=(",", ":")).encode() + b"\n"  # as the engine writes

    def _operation(self, number, verb):
        row = {"number": number, "verb": verb, "origin": "cli", "state": "running"}
        self.snapshot["operations"].append(row)
        if self.outcome:
            row["state"] = self.outcome
            row["reason"] = "asked by ann"
            self.add("operation_" + self.outcome, "operation %d %s" % (number, self.outcome),
                     value=number, reason="asked by ann")

    def add(self, kind, text, severity="info", **more):
        self.events.append(dict({"seq": len(self.events) + 1, "kind": kind, "text": text,
                                 "severity": severity, "wall_ms": WALL_MS}, **more))
        if not self.kicks:
            return
        for client in self.subscribed:
            try:
                client.sendall(b'{"kick":%d}\n' % len(self.events))
            except OSError:
                pass

    def emit(self, kind, text, **more):
        with self.changed:
            self.add(kind, text, **more)

    def wait_request(self, do, count=1):
        with self.changed:
            assert self.changed.wait_for(
                lambda: sum(r["do"] == do for r in self.requests) >= count, BOUND_S), do

    def last(self, do):
        return [r for r in self.requests if r["do"] == do][-1]


def engine_of_file(place, conf=CONF):
    """One that goes by what is in place/yoke.conf, and says so as yoked does."""
    served = Engine(place / "yoke.sock")
    served.file = place / "yoke.conf"
    served.file.write_text(conf)
    (place / "running.conf").write_text(f"# {served.file}\n{conf}")
    return served
