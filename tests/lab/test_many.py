"""As many groups as the limits allow: a heartbeat is what it is with one, and all of them are taken
over."""

import json
import re

import pytest

from lab import SERVICE, TOP, now, run, wait_until
from service import Cluster

LIMITS = (TOP / "agent/base/limits.h").read_text()
GROUPS = int(re.search(r"YOKE_GROUPS_MAX = (\d+)", LIMITS).group(1))
REST_S = 5


def groups():
    """The first one has the lab's service address; every other one prefers beta."""
    text = ""
    for i in range(GROUPS):
        name = "web" if i == 0 else f"shop-{i}"
        address = f"{SERVICE}/24" if i == 0 else f"10.77.{i // 200}.{i % 200 + 1}/32"
        nodes = '"alpha", "beta"' if i % 2 == 0 else '"beta", "alpha"'
        text += (f'group "{name}" {{\n  exclusive = no\n  nodes = {{ {nodes} }}\n'
                 f'  resource "ip-{i}" {{\n    type = address\n    address = "{address}"\n'
                 '    interface = "pub"\n  }\n}\n')
    return text


def heartbeats(lab, node, link):
    """Bytes and frames that the node has sent on the link, as its switch counts them."""
    told = run("ip", "-n", lab.switch, "-s", "-j", "link", "show", "dev", node.port(link))
    counted = json.loads(told)[0]["stats64"]["rx"]
    return counted["bytes"], counted["packets"]


def rate(lab, node):
    """Bytes in a frame, and frames in a second, while nothing happens."""
    since, (bytes_before, frames_before) = now(), heartbeats(lab, node, "red")
    wait_until(lambda: now() - since > REST_S, REST_S + 5, "some time has passed", every=0.1)
    spent, (bytes_after, frames_after) = now() - since, heartbeats(lab, node, "red")
    return ((bytes_after - bytes_before) / (frames_after - frames_before),
            (frames_after - frames_before) / spent)


def owners(yoke):
    status = yoke.status()
    started = [g for g in status["groups"] if g["state"] == "started"]
    return {g["name"]: g["owner_name"] for g in started}


@pytest.fixture
def many(world, lab):
    world.ready(snmp=False)
    alone = {node.name: rate(lab, node) for node in lab.pair}
    world.stop()
    cluster = Cluster(lab, start=False, snmp=False, groups=groups())
    for node in lab.pair:
        cluster[node].start()
    cluster.alone = alone
    yield cluster
    lab.restore()
    cluster.stop()


@pytest.mark.slow
def test_hundreds_of_groups(lab, many):
    assert GROUPS >= 200

    def is_spread():
        each = [owners(many[node]) for node in lab.pair]
        return (each[0] == each[1] and len(each[0]) == GROUPS
                and sum(owner == "beta" for owner in each[0].values()) == GROUPS // 2)
    wait_until(is_spread, 60, "each group runs on its first node", every=0.2)
    before = many.beta.last_event()
    start = {node.name: many[node].last_event() for node in lab.pair}
    for node in lab.pair:
        size, frames = rate(lab, node)
        size_alone, frames_alone = many.alone[node.name]
        print(f"{node.name}: {size:.1f} bytes a frame and {frames:.2f} frames a second, with one "
              f"group {size_alone:.1f} and {frames_alone:.2f}")
        assert size == pytest.approx(size_alone, rel=0.1), "an address is resolved now and then"
        assert frames == pytest.approx(frames_alone, rel=0.3)
    for node in lab.pair:
        lost = [e["kind"] for e in many[node].events(start[node.name])
                if e["kind"] in ("path_down", "node_late", "node_lost")]
        assert lost == [], node.name
    done = many.beta.cli("status")
    assert done.returncode == 0 and f"shop-{GROUPS - 1}" in done.stdout
    at = lab.alpha.power_cut()
    wait_until(lambda: set(owners(many.beta).values()) == {"beta"}
               and len(owners(many.beta)) == GROUPS, 60, "beta has all of them", every=0.05)
    print(f"all of them taken over {now() - at:.2f} s after the power cut")
    assert many.beta.has_event("node_lost", before)
