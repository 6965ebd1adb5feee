"""yoke reload: what it says of another file, before anything is asked of yoked."""

import os
import pty
import subprocess

import pytest

from engine import BOUND_S, CONF, engine_of_file
from test_cli import YOKE, environment

MORE = '  resource more { type = address address = "10.3.0.2/24" interface = e0 }\n'


@pytest.fixture
def engine(place):
    served = engine_of_file(place)
    yield served
    served.close()


def reload(engine, *arguments, stdin=subprocess.DEVNULL):
    return subprocess.run([YOKE, "reload", "--socket", engine.path, *arguments], text=True,
                          capture_output=True, stdin=stdin, env=environment(), check=False,
                          timeout=BOUND_S)


def refused(engine, *says, **more):
    done = reload(engine, **more)
    assert done.returncode == 1
    for part in says:
        assert part in done.stdout + done.stderr
    assert [r["do"] for r in engine.requests] == ["status"]


def test_an_error_is_said_with_its_line(engine):
    engine.file.write_text(CONF.replace("exclusive", "exklusive"))
    refused(engine, f"{engine.file}:5: error: ", "nothing was changed: correct the file first")


def test_a_file_that_is_not_there(engine):
    engine.file.unlink()
    refused(engine, "cannot open", "nothing was changed")


def test_all_that_needs_a_restart_is_named(engine):
    engine.file.write_text(CONF.replace("name = shop", "name = other user = somebody")
                           .replace("dead_ms = 1000", "dead_ms = 3000"))
    refused(engine, "the cluster's name cannot change while yoked runs: 'systemctl restart yoked'",
            "user cannot", "lease_ms (twice dead_ms when it is not given) cannot",
            "nothing was changed")


def test_the_last_path_that_works_stays(engine):
    path = engine.snapshot["paths"][0]
    engine.snapshot["paths"] = [{**path, "name": "p", "state": "down"},
                                {**path, "path": 2, "name": "q"}]
    engine.file.write_text(CONF.replace("10.2.0.1", "10.2.0.9"))
    refused(engine, "no path that stays as it is works now", "nothing was changed")


def test_without_a_terminal_what_ends_needs_yes(engine):
    engine.file.write_text(CONF.replace(MORE, ""))
    refused(engine, "resource more of group web: stopped where it runs", "--yes says")


def test_at_a_terminal_it_asks(engine):
    engine.file.write_text(CONF.replace("group web", "group mail").replace("10.3.0.", "10.3.1."))
    ours, theirs = pty.openpty()
    os.write(ours, b"n\n")
    refused(engine, "group web: not run here any more", "go on? [y/N]", "nothing was changed",
            stdin=theirs)
    os.close(ours)
    os.close(theirs)


def test_a_group_of_another_name_is_no_other_group(engine):
    engine.file.write_text(CONF.replace("group web", "group mail"))
    refused(engine, "resource ip goes from group web to group mail: take it out first",
            "nothing was changed")


def test_yoked_that_keeps_no_configuration(engine, place):
    (place / "running.conf").unlink()
    refused(engine, "running.conf: No such file")
    (place / "running.conf").write_text("no comment\n")
    refused_again = reload(engine)
    assert refused_again.returncode == 1
    assert "use 'systemctl restart yoked'" in refused_again.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="makes a PID namespace")
def test_from_another_pid_namespace(engine):
    """There the listener has no number: nobody else is signalled for it."""
    done = subprocess.run(["unshare", "--pid", "--fork", YOKE, "reload", "--socket", engine.path],
                          text=True, capture_output=True, env=environment(), check=False,
                          timeout=BOUND_S, start_new_session=True)
    assert done.returncode == 1 and "yoked is in another container: run it there" in done.stderr


def test_no_yoked(place):
    done = subprocess.run([YOKE, "reload", "--socket", place / "none"], text=True,
                          capture_output=True, env=environment(), check=False, timeout=BOUND_S)
    assert done.returncode == 3 and "yoked is not running" in done.stderr
