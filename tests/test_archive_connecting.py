import hmac
import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.hooks import job, own_facts, stream_of

from makingof.archive.connecting import connect, disconnect, find_changed, plan_connection
from makingof.archive.doctor import examine
from makingof.archive.draining import drain
from makingof.archive.hooks import hook_folder
from makingof.clock import SystemClock
from makingof.errors import UsageError
from makingof.event import Kind
from makingof.spool import carried


@pytest.fixture
def root(tmp_path):
    folder = tmp_path / "ComfyUI"
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "main.py").write_text("", "utf-8")
    return folder


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("below", ["", "ComfyUI", "ComfyUI_windows_portable/ComfyUI"])
def test_the_tool_is_found_in_each_of_its_layouts(tmp_path, below):
    folder = tmp_path / "given" / below
    (folder / "custom_nodes").mkdir(parents=True)
    (folder / "models").mkdir()
    assert plan_connection("comfyui", tmp_path / "given").root == folder
    assert plan_connection("comfyui", folder / "custom_nodes").root == folder


def test_what_is_no_tool_is_refused_with_what_to_do(tmp_path):
    with pytest.raises(UsageError) as told:
        plan_connection("comfyui", tmp_path)
    assert told.value.hint
    with pytest.raises(UsageError):
        plan_connection("nothing-we-know", tmp_path)


def test_planning_writes_nothing(root):
    before = contents(root)
    plan = plan_connection("comfyui", root)
    assert contents(root) == before
    assert {"__init__.py", "jobs.py", "handing_over.py"} <= set(plan.files)


def test_connecting_and_disconnecting_leaves_the_tool_as_it_was(archive, root):
    (root / "custom_nodes/other.py").write_text("somebody else's", "utf-8")
    before = contents(root)
    connect(archive, plan_connection("comfyui", root))
    hook = hook_folder(archive).all()[0]
    assert find_changed(hook) == []
    assert hook.secret not in "".join(data.decode() for data in contents(root).values())
    done = disconnect(archive, "comfyui", root)
    assert done.left == ()
    assert contents(root) == before
    assert not (root / "custom_nodes/makingof").exists()
    assert hook_folder(archive).all() == []
    assert [facts["what"] for facts in own_facts(archive, Kind.CONFIGURED)] == ["connected", "disconnected"]


def test_what_somebody_changed_or_added_stays(archive, root):
    connect(archive, plan_connection("comfyui", root))
    folder = root / "custom_nodes/makingof"
    (folder / "jobs.py").write_text("changed", "utf-8")
    (folder / "mine.txt").write_text("mine", "utf-8")
    assert find_changed(hook_folder(archive).all()[0]) == ["jobs.py"]
    assert {path.name for path in disconnect(archive, "comfyui", root).left} == {"jobs.py", "mine.txt"}


def test_a_folder_of_another_origin_is_not_written_into(archive, root):
    (root / "custom_nodes/makingof").mkdir()
    with pytest.raises(UsageError):
        connect(archive, plan_connection("comfyui", root))


def test_connecting_again_gives_a_new_secret_and_forgets_the_old(archive, root, clock):
    connect(archive, plan_connection("comfyui", root))
    old = hook_folder(archive).all()[0]
    connect(archive, plan_connection("comfyui", root))
    (new,) = hook_folder(archive).all()
    assert new.secret != old.secret
    stream = stream_of(old, clock)
    stream.open({})
    job(stream)
    drain(archive)
    assert own_facts(archive, Kind.GAP)[0]["why"] == "unknown_hook"


@pytest.fixture
def connected(archive, root):
    archive.clock = archive.recorder._clock = SystemClock()
    connect(archive, plan_connection("comfyui", root))
    return root / "custom_nodes/makingof"


def test_the_doctor_proves_the_way_from_the_hook_to_the_log(archive, connected):
    (found,) = examine(archive, None)
    assert (found.changed, found.round_trip, found.host) == ((), "ok", "not_asked")
    assert found.is_well
    (told,) = own_facts(archive, Kind.CHECKED)
    assert told["hooks"][0]["round_trip"] == "ok"


def test_the_doctor_finds_a_hook_that_was_taken_away_or_changed(archive, connected):
    (connected / "handing_over.py").write_text("raise SystemExit(1)", "utf-8")
    (found,) = examine(archive, None)
    assert (found.changed, found.round_trip, found.is_well) == (("handing_over.py",), "failed", False)
    for path in connected.iterdir():
        if path.is_file():
            path.unlink()
    (found,) = examine(archive, None)
    assert (found.changed, found.round_trip) == (None, "not_tried")


@pytest.mark.parametrize(
    ("says", "host"), [("right", "attached"), ("wrong", "not_ours"), ("junk", "no_answer")]
)
def test_the_doctor_asks_the_running_host_for_a_proof(archive, connected, says, host):
    secret = carried.load_connection(connected / "connection.json")["secret"]

    class Host(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = parse_qs(urlsplit(self.path).query)["say"][0]
            key = bytes.fromhex(secret) if says == "right" else bytes(32)
            mac = hmac.new(key, f"makingof-doctor/1\n{asked}\n".encode(), "sha256").hexdigest()
            body = b"<html>" if says == "junk" else json.dumps({"mac": mac, "attached": ["answers"]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Host)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        (found,) = examine(archive, f"http://127.0.0.1:{server.server_port}")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert found.host == host


@pytest.mark.parametrize(
    "url", ["http://example.org:80", "https://127.0.0.1:1", "127.0.0.1:8188", "http://[::1"]
)
def test_no_other_machine_is_ever_asked(archive, connected, url):
    with pytest.raises(UsageError):
        examine(archive, url)
