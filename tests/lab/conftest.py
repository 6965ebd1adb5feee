"""tests/lab/conftest.py - one lab for all tests; each test gets it whole and healthy.

A test breaks something; the next one's fixture undoes faults, starts what died and waits until the
cluster is as it wants it.  Only what was broken is started again.
"""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent))

from arbiters import Outside  # noqa: E402
from lab import BUILD, SERVICE, TOP, Lab, now, run, wait_until  # noqa: E402
from measure import Echo, Noise, Owners, Probe, Stalls  # noqa: E402
from service import GROUP_STARTED, Cluster, Manager, Mib, Snmpd, Trapd  # noqa: E402
from web import Client  # noqa: E402


class World:
    """The lab, what runs in it, and how to make it whole again."""

    def __init__(self, lab):
        self.lab = lab
        self.cluster, self.keys = None, None
        self.echo, self.snmpd = {}, {}
        self.owners, self.stalls = Owners(lab), Stalls(lab)
        self.trapd = None

    def ready(self, owner="alpha", **keys):
        """A settled cluster with these settings, owned by one node."""
        self.lab.restore()
        for node in self.lab.pair:
            if not (node.name in self.echo and self.echo[node.name].process.is_running()):
                self.echo[node.name] = Echo(node)
        if keys != self.keys:
            self.stop()
        if not self.cluster:
            self.cluster, self.keys = Cluster(self.lab, start=False, **keys), keys
        for yoke in self.cluster.by_name.values():
            if not yoke.is_running():
                yoke.start()
        try:
            self.cluster.settle()
            for node in self.lab.pair:
                if any(n["standby"] for n in self.cluster[node].status()["nodes"]):
                    self.cluster[node].order("online", node=node.name)
            self.cluster.switch(self.lab.nodes[owner])
        except AssertionError:
            # What the last test left cannot be repaired: from the beginning.
            self.stop()
            raise
        return self.cluster

    def stop(self):
        old, self.cluster, self.keys = self.cluster, None, None
        if old:
            old.stop()

    def with_snmp(self):
        """snmpd on both nodes, snmptrapd on the client."""
        if not self.trapd:
            self.trapd = Trapd(self.lab.client)
        for node in self.lab.pair:
            old = self.snmpd.get(node.name)
            if not (old and old.process and old.process.is_running()):
                self.snmpd[node.name] = Snmpd(node).start()


def pytest_configure(config):
    config.addinivalue_line("markers", "slow: takes longer than ten seconds")


@pytest.fixture(scope="session")
def world(request):
    missing = [name for name in ("yoked", "yoke", "yoke-snmp") if not (BUILD / name).exists()]
    if missing:
        pytest.fail(f"{', '.join(missing)} not in {BUILD}: run 'make' first", pytrace=False)
    with Lab("check") as lab:
        world = World(lab)
        yield world
        world.stop()
        request.config.stood_still = stood_still(world.stalls.since(0))


@pytest.fixture
def lab(world):
    return world.lab


@pytest.fixture
def owners(world):
    return world.owners


@pytest.fixture
def fast(world):
    """dead_ms = 30, as the power-cut row of the requirements."""
    return world.ready(dead_ms=30, snmp=False)


@pytest.fixture
def slow(world):
    """Default timing."""
    return world.ready(snmp=False)


@pytest.fixture(scope="session")
def mib():
    return Mib()


@pytest.fixture
def manager(world, mib):
    return Manager(world.lab, mib)


@pytest.fixture
def snmp(world, mib):
    """Default timing with SNMP on both nodes, SET enabled; the MIB says that all is well, too."""
    world.with_snmp()
    cluster = world.ready(snmp=True)
    manager = Manager(world.lab, mib)
    state = mib.oid("yokeGroupState", 1)
    for node in world.lab.pair:
        wait_until(lambda at=node: manager.get(at, state) == GROUP_STARTED, 10,
                   f"YOKE-MIB says on {node.name} that web is started")
    return cluster


@pytest.fixture
def outside(world):
    """Makes an Outside: outside("witness", "fence"...)."""
    made = []

    def make(*kinds, start=True, **options):
        made.append(Outside(world, *kinds, **options))
        return made[-1].open(start)
    make.lab = world.lab
    yield make
    for one in made:
        one.close()


@pytest.fixture
def loop(world):
    """A block device."""
    image = world.lab.dir / "image"
    image.write_bytes(bytes(64 * 1024))
    device = run("losetup", "--find", "--show", image).strip()
    yield device
    world.stop()
    run("blockdev", "--setrw", device)  # for who has it next
    run("losetup", "--detach", device)
    image.unlink()


@pytest.fixture
def probe(world):
    """A client that asks every millisecond; started when the test's cluster is up."""
    started = []

    def start(address=None, name="probe"):
        made = Probe(world.lab, name=name, **({"address": address} if address else {}))
        started.append(made)
        made.wait_answer()
        return made
    yield start
    for made in started:
        made.close()


@pytest.fixture
def client(lab):
    """A client of the web server, some 200 requests a second; started when the server answers."""
    started = []

    def start():
        started.append(Client(lab, SERVICE))
        wait_until(started[-1].served, 5, "the first answer")
        return started[-1]
    yield start
    for made in started:
        made.close()


@pytest.fixture
def noise(world):
    """What the machine adds to every measured gap."""
    made = Noise(world.lab)
    yield made
    made.close()


def stood_still(stalls):
    if not stalls:
        return "ran all the time"
    return f"stood still {len(stalls)} times, for {stalls[0][1]} ms at most"


def pytest_terminal_summary(terminalreporter, config):
    if hasattr(config, "stood_still"):
        terminalreporter.write_line(f"the machine {config.stood_still}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    item.began = now()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item):
    outcome = yield
    report = outcome.get_result()
    if report.failed:
        where = f"{pathlib.Path(item.fspath).relative_to(TOP)}::{item.name}"
        report.sections.append(("to repeat", f"/usr/bin/python3 -m pytest {where}"))
        world = item.funcargs.get("world") if hasattr(item, "funcargs") else None
        if world:
            world.lab.failed = True
            report.sections.append(("logs", f"{world.lab.keep_logs()}"))
            report.sections.append(("machine", stood_still(world.stalls.since(item.began))))
