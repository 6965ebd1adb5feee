"""tests/bench/products.py - the products behind one set of verbs, on the same two nodes.

yoke and keepalived keep the same address on the same interface.  keepalived sends its adverts on
the first private link, yoke its heartbeats on both.  A product's settings have the same name in
all: "fast" (advert 10 ms; dead_ms = 30) and "default" (what one gets by writing nothing); and, to
see what one path costs, "10 ms", "100 ms" and "200 ms" between two heartbeats on the first link
alone, which is dead after ten of them (keepalived's: three).

corosync is there without a resource, and has "200 ms" only: libknet 1.25 looks every 200 ms whether
it is to ping, and so sends five pings a second also when knet_ping_interval says more.
"""

import json
import pathlib
import secrets
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from lab import run, wait_until  # noqa: E402
from service import Cluster, Keepalived, Manager, Mib, Snmpd  # noqa: E402

KEEPALIVED_MIB = "1.3.6.1.4.1.9586.100.5"
INTERVAL_MS = {"10 ms": 10, "100 ms": 100, "200 ms": 200}
SEE_KEEPALIVED = f"view yokeSee included .{KEEPALIVED_MIB}\n"


class Product:
    """start, stop, and what a benchmark does to a node's daemon."""

    def __init__(self, lab, setting, snmp=False):
        self.lab, self.setting, self.snmp = lab, setting, snmp
        self.snmpd = {}
        if snmp:
            for node in lab.pair:
                self.snmpd[node.name] = Snmpd(node, SEE_KEEPALIVED).start()

    def stop_snmpd(self):
        for snmpd in self.snmpd.values():
            snmpd.stop()

    def mib_answers(self, node):
        manager = Manager(self.lab, None)
        return manager.get_next(node, self.root, timeout=0.3, retries=0)


class YokeProduct(Product):
    name = "yoke"
    heartbeat = "udp:4747"

    def start(self):
        interval = INTERVAL_MS.get(self.setting)
        dead = 10 * interval if interval else 30 if self.setting == "fast" else None
        links = ("red",) if interval else ("red", "blue")
        if self.snmp:
            self.root = Mib().oid("yokeMIB")
        self.cluster = Cluster(self.lab, dead_ms=dead, snmp=self.snmp, links=links)

    def stop(self):
        self.cluster.stop()
        self.stop_snmpd()

    def settle(self):
        """Until both nodes are well, whoever owns; returns the owner."""
        return self.cluster.settle().node

    def restart(self, node):
        self.cluster[node].start()

    def daemon(self, node):
        """The process that would be missed."""
        return self.cluster[node].engine()

    def pids(self, node):
        return self.cluster[node].pids()

    def switch(self, target):
        done = self.cluster[self.lab.other(target)].cli("switch", "web", target.name)
        if done.returncode:
            raise AssertionError(done.stderr)


class KeepalivedProduct(Product):
    name = "keepalived"
    heartbeat = "ip:112"

    def start(self):
        self.root = KEEPALIVED_MIB
        interval = INTERVAL_MS.get(self.setting)
        advert = interval / 1000 if interval else {"fast": 0.01, "default": 1}[self.setting]
        self.advert = advert
        self.stopping = None
        self.daemons = {node.name: Keepalived(node, advert, self.agentx(node), bool(interval))
                        for node in self.lab.pair}
        for node in self.lab.pair:
            self.restart(node)
            wait_until(self.lab.owner, 10, "keepalived has the address")
        self.settle()

    def agentx(self, node):
        return self.snmpd[node.name].agentx if self.snmp else None

    def stop(self):
        for daemon in self.daemons.values():
            if daemon.process.is_running():
                daemon.stop()
        self.stop_snmpd()

    def settle(self):
        for node in self.lab.pair:
            if self.stopping is node:
                self.daemons[node.name].process.popen.wait(20)
            if not self.daemons[node.name].process.is_running():
                self.restart(node)
        self.stopping = None
        owner = wait_until(self.lab.owner, 20, "keepalived has one owner")
        # A starting daemon needs to hear the owner before it is a standby.
        time.sleep(0.5 + 2 * self.advert)
        return owner

    def restart(self, node):
        self.daemons[node.name].start()

    def daemon(self, node):
        return self.daemons[node.name].daemon()

    def pids(self, node):
        return self.daemons[node.name].pids()

    def switch(self, target):
        """A clean stop of the owner's daemon: it tells its peer by an advert of priority 0."""
        self.stopping = self.lab.other(target)
        self.daemons[self.stopping.name].process.popen.terminate()


class CorosyncProduct(Product):
    """Two nodes, one knet link with encryption; no service and no quorum device."""

    name = "corosync"

    def start(self):
        key = self.lab.dir / "corosync.key"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        for node in self.lab.pair:
            config = node.dir / "corosync.conf"
            config.write_text(self.text(node, key))
            # Of what it writes each needs its own.
            node.start("corosync", ["unshare", "--mount", "sh", "-c", "mount -t tmpfs run /run && "
                                    "mount -t tmpfs lib /var/lib/corosync && "
                                    f"exec corosync -f -c {config}"])

    def text(self, node, key):
        interval = INTERVAL_MS[self.setting]
        nodes = "".join(f"  node {{\n    nodeid: {n.number}\n    name: {n.name}\n"
                        f"    ring0_addr: {n.address('red')}\n  }}\n" for n in self.lab.pair)
        return (f"totem {{\n  version: 2\n  cluster_name: bench\n  transport: knet\n"
                f"  crypto_cipher: aes256\n  crypto_hash: sha256\n  keyfile: {key}\n"
                f"  token: {10 * interval}\n  interface {{\n    linknumber: 0\n"
                f"    knet_ping_interval: {interval}\n    knet_ping_timeout: {10 * interval}\n"
                "  }\n}\n"
                f"nodelist {{\n{nodes}}}\n"
                "quorum {\n  provider: corosync_votequorum\n  two_node: 1\n}\n"
                "system {\n  move_to_root_cgroup: no\n}\n"
                "logging {\n  to_stderr: yes\n  to_syslog: no\n}\n")

    def settle(self):
        for node in self.lab.pair:
            wait_until(lambda at=node: "Members[2]: 1 2" in at.processes["corosync"].text(), 20,
                       f"corosync on {node.name} has two members")
        return self.lab.alpha

    def pids(self, node):
        return [pid for pid in node.group.pids()
                if pathlib.Path(f"/proc/{pid}/comm").read_text().strip() == "corosync"]

    def stop(self):
        for node in self.lab.pair:
            node.processes["corosync"].stop()


def product(lab, name, setting, snmp=False):
    kind = {"yoke": YokeProduct, "keepalived": KeepalivedProduct, "corosync": CorosyncProduct}
    made = kind[name](lab, setting, snmp)
    made.start()
    return made


def cpu_seconds(pids):
    """Of all their threads, as the scheduler counts it: clock ticks are too long for what idles."""
    total_ns = 0
    for pid in pids:
        for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
            total_ns += int((task / "schedstat").read_text().split()[0])
    return total_ns / 1e9


def on_the_wire(node, link):
    """Packets and bytes that went over a node's card so far, both ways."""
    stats = json.loads(run("ip", "-n", node.space, "-s", "-j", "link", "show", link))[0]["stats64"]
    return tuple(stats["rx"][key] + stats["tx"][key] for key in ("packets", "bytes"))


def memory_mb(pids, kind):
    """kind: Rss or Pss, of all processes added."""
    kb = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(kind + ":"):
                kb += int(line.split()[1])
    return kb / 1024
