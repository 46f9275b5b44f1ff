import json
import runpy
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.hooks import SOURCE, picture, prompt

from makingof.digest import Digest
from makingof.errors import MalformedError, ProofError
from makingof.spool import carried
from makingof.spool.folder import list_waiting
from makingof.spool.handover import parse_handover, verify_mac
from makingof.spool.hook import Hook, HookFolder
from makingof.spool.means import Standing
from makingof.spool.standings import StandingFolder

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "vectors/handover/vectors.json").read_text("utf-8"))
SECRET = bytes.fromhex(VECTORS["secret"])


def named(group):
    return pytest.mark.parametrize("text", VECTORS[group].values(), ids=list(VECTORS[group]))


def test_the_vectors_are_what_their_script_writes():
    assert runpy.run_path(str(HERE / "vectors/handover/make.py"))["vectors"]() == VECTORS


@named("accepted")
def test_a_right_handover_is_read_and_its_mac_holds(text):
    handover = parse_handover(text.encode(), Path("/spool"))
    verify_mac(handover, SECRET)


def test_a_handover_names_the_one_before_it():
    first, second = [parse_handover(text.encode(), Path("/x")) for text in VECTORS["accepted"].values()]
    assert second.said.previous == first.digest == Digest.parse(VECTORS["second_after"])


@named("forged")
def test_a_forged_handover_parses_and_does_not_verify(text):
    with pytest.raises(ProofError):
        verify_mac(parse_handover(text.encode(), Path("/spool")), SECRET)


@named("malformed")
def test_a_malformed_handover_is_refused(text):
    with pytest.raises(MalformedError):
        parse_handover(text.encode(), Path("/spool"))


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_refused(data):
    with pytest.raises(MalformedError):
        parse_handover(data, Path("/spool"))


@pytest.fixture
def connection(tmp_path):
    return {"id": "ab" * 16, "secret": SECRET.hex(), "spool": str(tmp_path / "spool")}


def test_what_the_hook_side_writes_is_what_the_recorder_reads(connection):
    stream = carried.HookStream(connection, SOURCE)
    stream.open({"host": "x"})
    stream.hand_over("generated", [prompt()], [picture()], [0, "sha256:" + "ab" * 32], occurred=(0, "tool"))
    waiting = list_waiting(Path(connection["spool"]))
    assert [item.seq for item in waiting] == [0, 1]
    for item in waiting:
        verify_mac(parse_handover(item.path.read_bytes(), item.files), SECRET)
    handed = parse_handover(waiting[1].path.read_bytes(), waiting[1].files).observation
    assert Path(str(handed.attachments[0].content)).read_bytes() == b"not a real picture"
    assert handed.occurred_at == "1970-01-01T00:00:00.000Z"


def test_attachments_are_copies_a_host_may_overwrite(connection, tmp_path):
    made = tmp_path / "ComfyUI_00001_.png"
    made.write_bytes(b"first")
    stream = carried.HookStream(connection, SOURCE)
    stream.hand_over("generated", [], [{"path": made, "name": made.name}])
    made.write_bytes(b"second")
    copy = next(Path(connection["spool"]).glob("*.files/*"))
    assert copy.read_bytes() == b"first"


def test_an_open_file_is_handed_over_though_its_name_is_another_files_now(connection, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(b"the picture")
    with path.open("rb") as handle:
        path.unlink()
        path.write_bytes(b"other bytes under its name")
        given = {"handle": handle, "name": "a.png", "role": "output"}
        carried.HookStream(connection, SOURCE).hand_over("generated", [], [given])
    (item,) = list_waiting(Path(connection["spool"]))
    (attached,) = item.files.iterdir()
    assert attached.read_bytes() == b"the picture"
    assert given["digest"] == str(Digest.of(b"the picture"))


def test_bytes_handed_over_before_are_named_and_not_copied(connection):
    digest = str(Digest.of(b"the picture"))
    carried.HookStream(connection, SOURCE).hand_over("selected", [], [{"digest": digest, "role": "output"}])
    (item,) = list_waiting(Path(connection["spool"]))
    assert not item.files.exists()
    (attachment,) = parse_handover(item.path.read_bytes(), item.files).observation.attachments
    assert attachment.content == Digest.of(b"the picture")


def test_a_name_that_leads_elsewhere_is_only_a_name(connection):
    stream = carried.HookStream(connection, SOURCE)
    stream.hand_over("generated", [], [picture(name="../../x.pn/g"), picture(name="a.图片")])
    assert sorted(path.name for path in Path(connection["spool"]).glob("*.files/*")) == ["00000", "00001"]


def test_names_that_are_no_handovers_are_left_alone(tmp_path):
    for name in ("newest", ".tmp", "x.handover", f"{'AB' * 16}-0000000000.handover"):
        (tmp_path / name).write_text("x", "utf-8")
    assert list_waiting(tmp_path) == []
    assert list_waiting(tmp_path / "not there") == []


def test_a_vanished_spool_loses_the_handover_and_not_the_host(connection, tmp_path):
    connection["spool"] = str(tmp_path / "file" / "spool")
    (tmp_path / "file").write_text("in the way", "utf-8")
    stream = carried.HookStream(connection, SOURCE)
    assert stream.open({}) is None
    assert stream.lost == 1


def test_a_drain_is_started_only_where_no_recorder_shows_itself(connection, tmp_path):
    mark = tmp_path / "started"
    connection["drain"] = [sys.executable, "-c", f"open({str(mark)!r}, 'a').write('x')"]
    stream = carried.HookStream(connection, SOURCE)
    stream.open({})
    recorder = Path(connection["spool"]) / "recorder"
    recorder.write_text(json.dumps({"boot": carried.boot_id(), "uptime_ms": carried.uptime_ms()}), "utf-8")
    assert not stream.ensure_drained()
    assert not stream.wants_drain
    stream.hand_over("prompted", [prompt()])
    recorder.write_text(json.dumps({"boot": "another", "uptime_ms": carried.uptime_ms()}), "utf-8")
    assert stream.ensure_drained()
    assert not stream.ensure_drained()
    deadline = time.monotonic() + 10
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert mark.exists()


def test_what_is_handed_over_right_after_a_drain_was_started_is_drained_too(connection):
    moment, started = [1_000_000], []
    connection["drain"] = [sys.executable, "-c", "pass"]
    stream = carried.HookStream(connection, SOURCE, clock=(lambda: "b", lambda: moment[0], lambda: 0))
    stream.open({})
    started.append(stream.ensure_drained())
    moment[0] += 5_000
    stream.hand_over("generated", [], [picture()])
    started.append(stream.ensure_drained())
    assert stream.wants_drain
    moment[0] += 10_001
    started.append(stream.ensure_drained())
    assert started == [True, False, True]
    assert not stream.wants_drain


def test_the_hook_side_needs_nothing_of_ours(tmp_path):
    """It is copied into other programs: it must import without makingof on the path."""
    copy = tmp_path / "handing_over.py"
    copy.write_bytes(Path(carried.__file__).read_bytes())
    code = "import sys, handing_over; assert not any(m.split('.')[0] == 'makingof' for m in sys.modules)"
    subprocess.run([sys.executable, "-S", "-c", code], cwd=tmp_path, check=True)


def test_a_hook_is_kept_for_its_owner_alone_and_read_back(tmp_path):
    folder = HookFolder(tmp_path / "hooks")
    hook = Hook.make("comfyui", "/C", Path("/s"), ("makingof", "drain"), {"MAKINGOF_STATE": "/x"})
    path = folder.add(hook)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert folder.find(hook.id) == hook
    assert folder.all() == [hook]
    folder.remove(hook)
    assert folder.find(hook.id) is None
    assert folder.find("../" + hook.id) is None


def test_a_connection_may_name_the_file_it_lies_in(tmp_path):
    hook = Hook.make("comfyui", "/C", Path("/s"), (), {})
    path = HookFolder(tmp_path).add(hook)
    (tmp_path / "connection.json").write_text(json.dumps({"hook_file": str(path)}), "utf-8")
    assert carried.load_connection(tmp_path / "connection.json")["secret"] == hook.secret


@given(st.lists(st.one_of(st.none(), st.binary(min_size=32, max_size=32).map(Digest.from_raw)), max_size=5))
def test_a_standing_is_remembered_as_it_was(tmp_path_factory, chain):
    folder = StandingFolder(tmp_path_factory.getbasetemp() / "standings")
    standing = Standing("ab" * 16, accepted=True, closed=False, chain=tuple(chain))
    folder.keep("cd" * 16, standing)
    assert folder.find("cd" * 16) == standing


def test_a_standing_that_does_not_parse_is_unknown(tmp_path):
    (tmp_path / ("cd" * 16)).write_text('{"hook": 1}', "utf-8")
    assert StandingFolder(tmp_path).find("cd" * 16) is None
    assert StandingFolder(tmp_path).find("../x") is None
