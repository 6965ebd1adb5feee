"""tests/lab/arbiters.py - what decides from outside of the lab's two nodes: a fence device that
pulls plugs, each node's watchdog, a witness and reference addresses on the client, a file as the
shared disk; and Outside, a cluster with some of them."""

import contextlib
import errno
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import threading

from lab import SERVICE, TOP, now, run, wait_until
from measure import Echo, Probe
from service import Cluster

# A machine whose host lets it stand still for 0.3 s now and then must not fail a test.
LEASE_MS, WATCHDOG_MS, DEAD_MS = 1500, 1500, 500
GROUP = ('group "web" {\n  exclusive = yes\n  nodes = { "alpha", "beta" }\n'
         f'  resource "vip" {{\n    type = address\n    address = "{SERVICE}/24"\n'
         '    interface = "pub"\n  }\n}\n')


def more(watchdog_ms=WATCHDOG_MS, lease_ms=LEASE_MS):
    """Keys of the cluster; 0: no watchdog."""
    text = f"  dead_ms = {DEAD_MS}\n  lease_ms = {lease_ms}\n"
    if watchdog_ms:
        text += f'  watchdog = "@DIR@/watchdog"\n  watchdog_ms = {watchdog_ms}\n'
    return text


class Fence:
    """A power switch with a socket for each node.  One that does not work answers nobody; one that
    is `cut_from` a node does not answer that one."""

    def __init__(self, lab):
        self.lab, self.works, self.cut_from, self.shot = lab, True, None, []
        self.dir = lab.dir / "fence"
        self.dir.mkdir(exist_ok=True)
        self.secret = self.dir / "secret"
        self.secret.touch(0o600)
        self.secret.write_text("password=lab-secret\n")
        self.socket = self.dir / "socket"
        self.socket.unlink(missing_ok=True)
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(self.socket))
        self.listener.listen()
        for node in lab.pair:
            self.on(node)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def file(self, node):
        return self.dir / node.name

    def on(self, node):
        self.file(node).write_text("on")

    def serve(self):
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            with peer:
                action, name = peer.recv(256).decode().split()
                node = self.lab.nodes[name]
                # Each node asks of the other one.
                if not self.works or self.lab.other(node) is self.cut_from:
                    continue
                if action == "off":
                    self.shot.append(name)
                    if node.off_since is None:
                        node.power_cut()
                peer.sendall(b"done\n")

    def text(self, test_ms):
        victims = "".join(
            f'  victim "{node.name}" {{ parameters = {{ "lab_node={node.name}", '
            f'"status_file={self.file(node)}" }} }}\n' for node in self.lab.pair)
        return (f'arbiter "switch" {{\n  type = fence\n  agent = "{TOP / "tests/lab/fence_lab"}"\n'
                f'  parameters = {{ "type=file", "lab_socket={self.socket}" }}\n'
                f'  secret_file = "{self.secret}"\n  delay_ms = 2000\n  timeout_ms = 20000\n'
                f'  retries = 0\n  test_ms = {test_ms}\n{victims}}}\n')

    def close(self):
        """The thread ends first: its accept() might go on with the next device's descriptor."""
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()


class Watchdog(threading.Thread):
    """The hardware: cuts the machine's power when it was not fed for its time-out."""

    def __init__(self, node, timeout_ms=WATCHDOG_MS):
        super().__init__(daemon=True)
        self.node, self.timeout_ms = node, timeout_ms
        self.fired, self.ended, self.armed = 0, False, False
        self.file = node.dir / "watchdog"
        self.file.unlink(missing_ok=True)
        os.mkfifo(self.file)
        self.fd = os.open(self.file, os.O_RDWR | os.O_NONBLOCK)
        self.start()

    def run(self):
        fed = now()
        while not self.ended:
            ready, _, _ = select.select([self.fd], [], [], 0.02)
            if ready:
                self.armed = b"V" not in os.read(self.fd, 4096)
                fed = now()
            elif self.armed and now() - fed > self.timeout_ms / 1000:
                self.armed = False
                if self.node.off_since is None:
                    self.fired += 1
                    self.node.power_cut()
            if self.node.off_since is not None:
                self.armed = False

    def close(self):
        self.ended = True
        self.join()
        os.close(self.fd)
        self.file.unlink(missing_ok=True)


class Witness:
    """yoked --witness on the client, started as its unit does: a user without any right."""

    USER = "yoke-witness"

    def __init__(self, cluster, disk_size=None):
        self.cluster, self.node = cluster, cluster.lab.client
        self.state = self.node.dir / "witness"
        self.state.mkdir(mode=0o700, exist_ok=True)
        self.has_disk = disk_size is not None
        if self.has_disk:
            run("mount", "-t", "tmpfs", "-o", f"size={disk_size},mode=0700", "lab", self.state)
        key = self.node.dir / "witness.key"
        key.touch(0o600)
        key.write_text(cluster.alpha.key_file.read_text())
        for path in (self.state, key):
            shutil.chown(path, self.USER, self.USER)
        self.config = self.node.dir / "witness.conf"
        self.config.write_text(
            f'witness {{\n  address = "{self.node.address()}"\n  state_dir = "{self.state}"\n}}\n'
            f'cluster "lab" {{\n  key_file = "{key}"\n}}\n')
        self.process = None
        self.start()

    @staticmethod
    def text(lab):
        return (f'arbiter "third" {{\n  type = witness\n  address = "{lab.client.address()}"\n'
                "  test_ms = 1000\n}\n")

    def start(self):
        log = self.node.dir / "witness.log"
        told = len(log.read_text()) if log.exists() else 0
        self.process = self.node.start("witness", [
            "setpriv", "--reuid", self.USER, "--regid", self.USER, "--clear-groups",
            "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
            self.cluster.alpha.bin / "yoked", "--witness", "--config", self.config])
        wait_until(lambda: " clusters" in self.process.text()[told:], 5, "the witness runs")

    def stop(self, number=signal.SIGTERM):
        self.process.stop(number)

    def fill(self):
        """Its disk, to the last byte."""
        with (self.state / "full").open("wb", buffering=0) as file:
            try:
                while file.write(bytes(512)):
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC

    def drain(self):
        (self.state / "full").unlink()

    def remount(self, how):
        run("mount", "-o", f"remount,{how}", self.state)

    def close(self):
        self.stop()
        if self.has_disk:
            run("umount", self.state)


class Disk:
    """A file that both nodes write past the cache, or a device.  An array that does not answer a
    node is one whose process for it stands still: it waits for as long as it takes, and goes on
    with what it was about to do."""

    def __init__(self, lab, device=None):
        self.file = device or pathlib.Path(lab.dir) / "quorum"
        if device is None:
            self.file.write_bytes(bytes(64 * 1024))
        self.waiting = []

    def text(self):
        return (f'arbiter "quorum" {{\n  type = disk\n  device = "{self.file}"\n'
                "  test_ms = 1000\n}\n")

    def try_init(self, yoke):
        return yoke.node.try_run("env", f"YOKE_CONF={yoke.config}", yoke.bin / "yoke", "disk",
                                 "init", self.file, "--force")

    def init(self, yoke):
        done = self.try_init(yoke)
        assert done.returncode == 0, done.stderr

    def hide_from(self, yoke):
        """Until it answers everybody again: start()."""
        for pid in yoke.pids("disk"):
            os.kill(pid, signal.SIGSTOP)
            self.waiting.append(pid)

    def start(self):
        for pid in self.waiting:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)
        self.waiting = []


class Reference:
    """Addresses of the client that nothing else goes by, one of each family."""

    ADDRESSES = ("10.9.0.20", "fd09::20")

    def __init__(self, lab):
        self.lab, self.there = lab, ()
        self.set(self.ADDRESSES)

    def set(self, wanted):
        """Only these of the two are there, for both nodes."""
        self.lab.client.ip(*[f"address del {a} dev pub" for a in self.there if a not in wanted],
                           *[f"address add {a} dev pub{' nodad' if ':' in a else ''}"
                             for a in wanted if a not in self.there])
        self.there = wanted

    def hide_from(self, node):
        """Until the lab heals."""
        four, six = self.ADDRESSES
        self.lab.rules += [f'iifname "{node.port("pub")}" ip daddr {four} drop',
                           f'iifname "{node.port("pub")}" ip6 daddr {six} drop']
        self.lab.apply()

    def text(self):
        addresses = ", ".join(f'"{address}"' for address in self.ADDRESSES)
        return (f'arbiter "gate" {{\n  type = ping\n  addresses = {{ {addresses} }}\n'
                "  test_ms = 1000\n  timeout_ms = 500\n}\n")


class Outside:
    """A cluster, and what is outside of it: the kinds that are named.  The group is exclusive."""

    def __init__(self, world, *kinds, group=GROUP, watchdog_ms=WATCHDOG_MS, lease_ms=LEASE_MS,
                 fence_test_ms=600000, device=None, witness_disk=None):
        world.lab.restore()
        world.stop()
        self.world, self.lab = world, world.lab
        self.dogs = [Watchdog(node, watchdog_ms) for node in self.lab.pair if watchdog_ms]
        self.fence = Fence(self.lab) if "fence" in kinds else None
        self.disk = Disk(self.lab, device) if "disk" in kinds else None
        self.reference = Reference(self.lab) if "ping" in kinds else None
        self.witness, self.witness_disk = None, witness_disk
        text = group + (self.fence.text(fence_test_ms) if self.fence else "")
        text += self.disk.text() if self.disk else ""
        text += Witness.text(self.lab) if "witness" in kinds else ""
        text += self.reference.text() if self.reference else ""
        self.keys = {"snmp": False, "groups": text, "more": more(watchdog_ms, lease_ms)}
        self.cluster, self.client = None, None
        self.kinds = kinds

    def open(self, start=True):
        self.cluster = Cluster(self.lab, start=False, **self.keys)
        if self.disk:
            self.disk.init(self.cluster.alpha)
        if "witness" in self.kinds:
            self.witness = Witness(self.cluster, self.witness_disk)
        if start:
            self.start()
        return self

    def start(self):
        for node in self.lab.pair:
            self.world.echo[node.name] = Echo(node)
            self.cluster[node].start()
        self.cluster.settle()
        self.cluster.switch(self.lab.alpha)
        self.client = Probe(self.lab, name="outside")
        self.client.wait_answer()
        for yoke in self.cluster.by_name.values():
            wait_until(lambda at=yoke: all(a["state"] == "ready" for a in at.status()["arbiters"]),
                       15, f"the arbiters of {yoke.node.name} work")

    def stop_lock(self):
        """It answers nobody: the witness is stopped, or the array hangs."""
        if self.witness:
            self.witness.stop()
        if self.disk:
            for yoke in self.cluster.by_name.values():
                self.disk.hide_from(yoke)

    def start_lock(self):
        (self.witness or self.disk).start()

    def bound_s(self, how, part=None):
        """What `yoke check` promises, or one part of that sum; 0: it is no part."""
        done = self.cluster.alpha.cli("check", self.cluster.alpha.config)
        found = re.search(rf"{how} within ([0-9.]+) s: (.*)", done.stdout)
        assert found, done.stdout + done.stderr
        if part is None:
            return float(found.group(1))
        return sum(float(number) for number in re.findall(rf"([0-9.]+) {part}\b", found.group(2)))

    def close(self):
        self.lab.restore()
        if self.disk:
            self.disk.start()
        try:
            if self.cluster:
                self.cluster.stop()
        finally:
            if self.client:
                self.client.close()
            if self.witness:
                self.witness.close()
            for dog in self.dogs:
                dog.close()
            if self.fence:
                self.fence.close()
            if self.reference:
                self.reference.set(())


def fenced_s(one):
    """How long the agents of beta's last fencing took."""
    at = {kind: [event["wall_ms"] for event in one.cluster.beta.events() if event["kind"] == kind]
          for kind in ("fence_started", "fence_succeeded")}
    return (at["fence_succeeded"][-1] - at["fence_started"][-1]) / 1000


def taken_over(one, since, how="is replaced"):
    """A client is answered by beta within what `yoke check` promises: later only for as long as the
    machine was seen to stand still.  What a fence agent may take counts as what it took."""
    bound_s, agents_s = one.bound_s(how), one.bound_s(how, "fence")
    answer = one.client.wait_answer(bound_s + 5, node=one.lab.beta, since=since)
    took, still_s = answer[1] - since, one.world.stalls.total_s(since, answer[1])
    if agents_s:
        bound_s += fenced_s(one) - agents_s
    told = (f"a client waited {took:.3f} s of {bound_s:.3f} s, "
            f"the machine stood still {still_s:.3f} s")
    assert took <= bound_s + still_s, told
    return took
