"""Exclusive groups: never two owners, so silence alone moves nothing; a person's word does."""

import pytest

from lab import SERVICE, now, wait_until
from service import Manager

GROUPS = ('group "web" {\n  exclusive = yes\n  nodes = { "alpha", "beta" }\n'
          f'  resource "vip" {{\n    type = address\n    address = "{SERVICE}/24"\n'
          '    interface = "pub"\n  }\n}\n')


@pytest.fixture
def exclusive(world):
    return world.ready(snmp=False, groups=GROUPS)


def held(cluster, node, before):
    return wait_until(lambda: cluster[node].has_event("group_held", before), 10,
                      f"{node} holds the group")


def test_power_cut_waits_for_a_person(world, lab, exclusive, probe, owners):
    client = probe()
    before = exclusive.beta.last_event()
    since = now()
    lab.alpha.power_cut()
    event = held(exclusive, "beta", before)
    assert "yoke confirm-down alpha" in event["text"]
    assert not lab.beta.has(SERVICE)
    refused = exclusive.beta.cli("switch", "web", "beta")
    assert refused.returncode == 1 and "not-ready" in refused.stderr
    confirmed = exclusive.beta.cli("confirm-down", "alpha", "--reason", "pulled its plug")
    assert confirmed.returncode == 0, confirmed.stderr
    wait_until(lambda: lab.beta.has(SERVICE), 5, "beta owns the address")
    client.wait_answer(node=lab.beta)
    event = exclusive.beta.has_event("node_confirmed_down", before)
    assert "pulled its plug" in event["text"]
    assert owners.both_ms(since) == 0


def test_person_confirms_by_snmpset(world, lab, mib, owners):
    """The same word by SET, with its reason in the same request: refused while alpha is heard, for
    who may only read, and where it is not true(1); then it is proof."""
    world.with_snmp()
    cluster, manager = world.ready(snmp=True, groups=GROUPS), Manager(lab, mib)
    oid = mib.oid("yokeNodeControlConfirmDown", lab.alpha.number)
    wait_until(lambda: manager.get(lab.beta, oid) == "2", 10, "YOKE-MIB answers on beta: false")

    def confirm(value=1, **options):
        return manager.set(lab.beta, oid, "i", value, mib.oid("yokeControlReason", 0), "s",
                           "ticket 12: pulled its plug", **options)
    since, before = now(), cluster.beta.last_event()
    assert "inconsistentValue" in confirm().stderr
    traps = len(world.trapd.traps())
    lab.alpha.power_cut()
    held(cluster, "beta", before)
    assert "noAccess" in confirm(user="yoke-read").stderr and "wrongValue" in confirm(2).stderr
    assert not lab.beta.has(SERVICE) and not cluster.beta.has_event("node_confirmed_down", before)
    done = confirm()
    assert done.returncode == 0, done.stderr
    wait_until(lambda: lab.beta.has(SERVICE), 5, "beta owns the address")
    event = cluster.beta.has_event("node_confirmed_down", before, node_name="alpha")
    assert "ticket 12: pulled its plug" in event["text"], event
    wait_until(lambda: {"yokeGroupHeld", "yokeOperationSucceeded", "yokeGroupStarted"}
               <= set(world.trapd.kinds(mib, traps)), 10, "the notifications")
    assert owners.both_ms(since) == 0
    world.stop()


def test_switchover_is_quick_and_never_on_both(lab, exclusive, probe, owners, noise):
    client = probe()
    since = now()
    assert exclusive.alpha.cli("switch", "web", "beta").returncode == 0
    client.wait_answer(node=lab.beta)
    exclusive.settle(lab.beta)
    assert owners.both_ms(since) == 0
    assert client.outage(since) - noise.longest(since) <= 30


def test_nodes_cut_from_each_other_move_nothing(lab, exclusive, owners):
    before = exclusive.beta.last_event()
    since = now()
    lab.split(("red", "blue", "pub"))
    held(exclusive, "beta", before)
    assert lab.owner() is lab.alpha
    lab.heal()
    exclusive.settle(lab.alpha)
    assert owners.both_ms(since) == 0 and owners.takeovers(since) == 0


def test_a_node_in_contact_is_not_down(lab, exclusive):
    done = exclusive.alpha.cli("confirm-down", "beta")
    assert done.returncode == 1 and "in-contact" in done.stderr
    exclusive.settle(lab.alpha)


def test_engine_killed_is_adopted(lab, exclusive, owners):
    since = now()
    exclusive.alpha.kill_all()
    exclusive.alpha.start()
    wait_until(exclusive.alpha.status, 5, "the engine answers again")
    exclusive.settle(lab.alpha)
    assert owners.takeovers(since) == 0
