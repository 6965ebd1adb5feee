"""tests/bench/products.py - the two products behind one set of verbs, on the same two nodes.

Both keep the same address on the same interface.  keepalived sends its adverts on the first private
link, yoke its heartbeats on both.  A product's settings have the same name in both: "fast" (advert
10 ms; dead_ms = 30) and "default" (what one gets by writing nothing).
"""

import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lab"))

from lab import wait_until  # noqa: E402
from service import Cluster, Keepalived, Manager, Mib, Snmpd  # noqa: E402

KEEPALIVED_MIB = "1.3.6.1.4.1.9586.100.5"
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
        dead = 30 if self.setting == "fast" else None
        if self.snmp:
            self.root = Mib().oid("yokeMIB")
        self.cluster = Cluster(self.lab, dead_ms=dead, snmp=self.snmp)

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
        advert = {"fast": 0.01, "default": 1}[self.setting]
        self.advert = advert
        self.stopping = None
        self.daemons = {node.name: Keepalived(node, advert, self.agentx(node))
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


def product(lab, name, setting, snmp=False):
    made = {"yoke": YokeProduct, "keepalived": KeepalivedProduct}[name](lab, setting, snmp)
    made.start()
    return made


def cpu_seconds(pids):
    ticks = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def memory_mb(pids, kind):
    """kind: Rss or Pss, of all processes added."""
    kb = 0
    for pid in pids:
        for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith(kind + ":"):
                kb += int(line.split()[1])
    return kb / 1024
