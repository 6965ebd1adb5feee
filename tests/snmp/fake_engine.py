"""A stand-in for yoked's control socket: it isolates the subagent from everything else.

Speaks the JSON lines of agent/base/json.h.  One thread; the test changes `snapshot`, calls emit()
and looks at `operations`.
"""

import contextlib
import json
import os
import selectors
import socket
import threading
import time



def two_nodes():
    """A healthy cluster: alpha answers, group web runs on it, beta could take it."""
    now = int(time.time() * 1000)
    node = {"standby": False, "config_same": True, "version": "0.1.0", "state": "online",
            "changed_wall_ms": now - 60000, "started_wall_ms": now - 90000}
    path = {"node": 2, "type": "udp", "role": "private", "interval_ms": 100,
            "state": "up", "changed_wall_ms": now - 50000,
            "sent": 5000000000, "received": 4999999000, "missed": 12,
            "refused_seal": 1, "refused_replay": 2,
            "refused_version": 3, "refused_length": 4, "refused_cluster": 5, "refused_sender": 6,
            "refused_key": 7, "rtt_us": 340, "rtt_min_us": 310, "rtt_mean_us": 350,
            "rtt_max_us": 990, "jitter_us": 15, "delayed": 3, "loss_permille": 2,
            "loss_hour_permille": 1, "flaps": 1, "reason": ""}
    return {
        "cluster": "shop", "version": "0.1.0", "self": 1, "condition": "ok",
        "text": "all is well", "taken_wall_ms": now, "engine_started_wall_ms": now - 90000,
        "last_event": 0, "interval_ms": 100, "dead_ms": 1000, "late_ms": 500, "snmp_set": True,
        "realtime": True, "control_lock": 7,
        "nodes": [dict(node, name="alpha", paths_up=0), dict(node, name="beta", paths_up=2)],
        "paths": [dict(path, path=1, name="red", local="192.0.2.1:4747",
                       remote="192.0.2.2:4747", interface="eth1"),
                  dict(path, path=2, name="blue", local="[2001:db8::1]:4747",
                       remote="[2001:db8::2]:4747", interface="")],
        "groups": [{"name": "web", "exclusive": False, "owner": 1, "preferred": 1, "term": 3,
                    "state": "started", "condition": "ok", "changed_wall_ms": now - 40000,
                    "moves": 2, "reason": "preferred node"}],
        "members": [{"group": 1, "node": 1, "rank": 1, "state": "started", "ready": True,
                     "reason": ""},
                    {"group": 1, "node": 2, "rank": 2, "state": "stopped", "ready": True,
                     "reason": ""}],
        "resources": [{"group": 1, "name": "ip", "type": "address", "text": "192.0.2.10/24 on eth0",
                       "state": ["started", "stopped"], "usable": True, "restores": 0,
                       "reason": ""}],
        "operations": [],
        "lease_ms": 2000, "lease_left_ms": 1500, "watchdog_ms": 5000, "watchdog": True,
        "arbiters": [{"name": "third", "type": "witness", "text": "192.0.2.7:4748",
                      "state": "ready", "changed_wall_ms": now - 60000,
                      "tested_wall_ms": now - 1000, "reason": ""}],
        "keys": [{"id": 3, "made_wall_ms": 1772236800000, "shown": True, "seals": True,
                  "opens": True, "arbiters": False}],
        "unready": [{"reason": "a path to beta is down"}],
    }


class FakeEngine:
    def __init__(self, path):
        self.path = str(path)
        self.snapshot = two_nodes()
        self.events = []
        self.operations = []  # requests that were asked for
        self.verdict = lambda request: "ok"
        self.silent = False  # reads, but answers nothing
        self.lock = threading.RLock()
        self.thread = None
        self.start()

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.path)
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen()
        self.waker, self.wakee = socket.socketpair()
        self.clients = {}
        self.stopping = False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def stop(self):
        if self.thread is None:
            return
        self.stopping = True
        self.waker.send(b"x")
        self.thread.join()
        self.thread = None
        for one in [self.listener, self.waker, self.wakee, *self.clients]:
            one.close()
        self.clients = {}
        os.unlink(self.path)

    def emit(self, kind, severity="info", kick=True, **fields):
        with self.lock:
            seq = self.snapshot["last_event"] + 1
            self.snapshot["last_event"] = seq
            event = {"seq": seq, "wall_ms": int(time.time() * 1000), "mono_us": 1, "kind": kind,
                     "severity": severity, "text": f"{kind} {seq}"}
            self.events.append(dict(event, **fields))
            if kick:
                self.kick()
        return seq

    def kick(self):
        with self.lock:
            for client, state in self.clients.items():
                if not state["subscribed"]:
                    continue
                try:
                    client.sendall(b'{"kick":%d}\n' % self.snapshot["last_event"])
                except OSError:
                    pass  # it has just gone

    def run(self):
        selector = selectors.DefaultSelector()
        selector.register(self.listener, selectors.EVENT_READ)
        selector.register(self.wakee, selectors.EVENT_READ)
        while not self.stopping:
            for key, _ in selector.select():
                if key.fileobj is self.listener:
                    client, _ = self.listener.accept()
                    with self.lock:
                        self.clients[client] = {"subscribed": False, "bytes": b""}
                    selector.register(client, selectors.EVENT_READ)
                elif key.fileobj in self.clients and not self.serve(key.fileobj):
                    selector.unregister(key.fileobj)
                    with self.lock:
                        del self.clients[key.fileobj]
                    key.fileobj.close()
        selector.close()

    def serve(self, client):
        with contextlib.suppress(ConnectionError):
            data = client.recv(65536)
            if not data:
                return False
            with self.lock:
                state = self.clients[client]
                *lines, state["bytes"] = (state["bytes"] + data).split(b"\n")
                for line in lines:
                    answer = self.answer(json.loads(line), state)
                    if not self.silent:
                        client.sendall(json.dumps(answer).encode() + b"\n")
            return True
        return False

    def answer(self, request, state):
        what = request["do"]
        if what == "subscribe":
            state["subscribed"] = True
            return {"ok": True}
        if what == "pull":
            after = request["after"]
            later = [event for event in self.events if event["seq"] > after]
            self.snapshot["taken_wall_ms"] = int(time.time() * 1000)
            return {"ok": True, "snapshot": self.snapshot, "events": later[:64],
                    "missed": max(0, later[0]["seq"] - after - 1) if later else 0}
        self.operations.append(request)
        verdict = self.verdict(request)
        if verdict == "ok":
            self.snapshot["control_lock"] += 1
            return {"ok": True, "operation": 16777216 + len(self.operations)}
        return {"ok": False, "error": verdict, "advice": "as the test says"}
