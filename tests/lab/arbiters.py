"""tests/lab/arbiters.py - what decides from outside of the lab's two nodes: a fence device that
pulls plugs, each node's watchdog, a witness on the client, a file as the shared disk."""

import os
import pathlib
import select
import shutil
import socket
import threading

from lab import SERVICE, TOP, now, wait_until

LEASE_MS, WATCHDOG_MS, DEAD_MS = 1000, 1000, 300
MORE = (f"  dead_ms = {DEAD_MS}\n  lease_ms = {LEASE_MS}\n"
        f'  watchdog = "@DIR@/watchdog"\n  watchdog_ms = {WATCHDOG_MS}\n')
GROUP = ('group "web" {\n  exclusive = yes\n  nodes = { "alpha", "beta" }\n'
         f'  resource "vip" {{\n    type = address\n    address = "{SERVICE}/24"\n'
         '    interface = "pub"\n  }\n}\n')


class Fence:
    """A power switch with a socket for each node; `works` and `is_on` say how it is."""

    def __init__(self, lab):
        self.lab, self.works, self.shot = lab, True, []
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
        threading.Thread(target=self.serve, daemon=True).start()

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
                if not self.works:
                    continue
                if action == "off":
                    self.shot.append(name)
                    node = self.lab.nodes[name]
                    if node.off_since is None:
                        node.power_cut()
                peer.sendall(b"done\n")

    def text(self, level=1):
        victims = "".join(
            f'  victim "{node.name}" {{ parameters = {{ "lab_node={node.name}", '
            f'"status_file={self.file(node)}" }} }}\n' for node in self.lab.pair)
        return (f'arbiter "switch" {{\n  type = fence\n  agent = "{TOP / "tests/lab/fence_lab"}"\n'
                f'  parameters = {{ "type=file", "lab_socket={self.socket}" }}\n'
                f'  secret_file = "{self.secret}"\n  delay_ms = 2000\n  timeout_ms = 20000\n'
                f'  retries = 0\n  level = {level}\n{victims}}}\n')

    def close(self):
        self.listener.close()


class Watchdog(threading.Thread):
    """The hardware: cuts the machine's power when it was not fed for its time-out."""

    def __init__(self, node):
        super().__init__(daemon=True)
        self.node, self.fired, self.ended, self.armed = node, 0, False, False
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
            elif self.armed and now() - fed > WATCHDOG_MS / 1000:
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

    def __init__(self, cluster):
        self.cluster, self.node = cluster, cluster.lab.client
        self.state = self.node.dir / "witness"
        self.state.mkdir(mode=0o700, exist_ok=True)
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
        self.process = self.node.start("witness", [
            "setpriv", "--reuid", self.USER, "--regid", self.USER, "--clear-groups",
            "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all",
            self.cluster.alpha.bin / "yoked", "--witness", "--config", self.config])
        wait_until(lambda: "witness " in self.process.text(), 5, "the witness runs")

    def stop(self):
        self.process.stop()


class Disk:
    """A file that both nodes write past the cache."""

    def __init__(self, lab):
        self.file = pathlib.Path(lab.dir) / "quorum"
        self.file.write_bytes(bytes(64 * 1024))

    def text(self):
        return (f'arbiter "quorum" {{\n  type = disk\n  device = "{self.file}"\n'
                "  test_ms = 1000\n}\n")

    def init(self, yoke):
        done = yoke.node.try_run("env", f"YOKE_CONF={yoke.config}", yoke.bin / "yoke", "disk",
                                 "init", self.file, "--force")
        assert done.returncode == 0, done.stderr
