import hmac
import json
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qs, urlsplit

import pytest
from tests.hooks import job, own_facts, stream_of
from tests.loopback import served_by

from makingof.archive.connecting import connect, disconnect, find_changed, plan_connection
from makingof.archive.doctor import examine
from makingof.archive.draining import drain
from makingof.archive.hooks import hook_folder
from makingof.clock import SystemClock
from makingof.digest import Digest
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


WEBUI_LAYOUTS = ["", "webui", "stable-diffusion-webui", "Packages/sd", "Data/Packages/sd"]


@pytest.mark.parametrize("below", WEBUI_LAYOUTS)
def test_a_web_ui_is_found_in_each_of_its_layouts(tmp_path, below):
    folder = make_webui(tmp_path / "given" / below)
    assert plan_connection("a1111", tmp_path / "given").root == folder
    assert plan_connection("a1111", folder / "extensions").root == folder


def test_of_several_web_uis_the_one_that_is_meant_is_taken_or_asked_for(tmp_path):
    make_webui(tmp_path / "Packages/a")
    forge = make_webui(tmp_path / "Packages/b")
    (forge / "modules_forge").mkdir()
    assert plan_connection("forge", tmp_path).root == forge
    with pytest.raises(UsageError, match="more than one") as told:
        plan_connection("a1111", tmp_path)
    assert str(forge) in str(told.value.hint)


def make_webui(folder):
    (folder / "extensions").mkdir(parents=True)
    (folder / "modules").mkdir()
    for name in ("webui.py", "modules/script_callbacks.py"):
        (folder / name).write_text("", "utf-8")
    return folder


def test_a_hook_with_folders_inside_is_put_in_and_taken_out_again(archive, tmp_path):
    webui = make_webui(tmp_path / "webui")
    before = contents(webui)
    plan = plan_connection("a1111", webui)
    assert {"scripts/makingof_recording.py", "makingof_in_webui/handing_over.py"} <= set(plan.files)
    connect(archive, plan)
    modules = webui / "extensions/makingof/makingof_in_webui"
    assert find_changed(hook_folder(archive).all()[0]) == []
    (modules / "__pycache__").mkdir()
    (modules / "__pycache__/jobs.cpython-311.pyc").write_bytes(b"compiled by the host")
    assert disconnect(archive, "a1111", webui).left == ()
    assert contents(webui) == before
    assert not (webui / "extensions/makingof").exists()


def test_what_somebody_changed_inside_its_folders_stays(archive, tmp_path):
    webui = make_webui(tmp_path / "webui")
    connect(archive, plan_connection("a1111", webui))
    folder = webui / "extensions/makingof"
    (folder / "makingof_in_webui/jobs.py").write_text("changed", "utf-8")
    assert find_changed(hook_folder(archive).all()[0]) == ["makingof_in_webui/jobs.py"]
    assert disconnect(archive, "a1111", webui).left == (folder / "makingof_in_webui/jobs.py",)
    assert not (folder / "scripts").exists()


@pytest.mark.parametrize("name", ["../../webui.py", "/etc/hostname", "..\\..\\webui.py", "C:webui.py"])
def test_a_list_of_files_that_was_changed_reaches_nothing_outside_the_hook(archive, tmp_path, name):
    webui = make_webui(tmp_path / "webui")
    connect(archive, plan_connection("a1111", webui))
    path = webui / "extensions/makingof/connection.json"
    told = json.loads(path.read_text("utf-8"))
    told["files"][name] = str(Digest.of(b""))
    path.write_text(json.dumps(told), "utf-8")
    disconnect(archive, "a1111", webui)
    assert (webui / "webui.py").is_file()


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


def test_the_doctor_finds_the_modules_of_a_hook_with_folders_inside(archive, tmp_path):
    archive.clock = archive.recorder._clock = SystemClock()
    connect(archive, plan_connection("a1111", make_webui(tmp_path / "webui")))
    (found,) = examine(archive, None)
    assert (found.changed, found.round_trip) == ((), "ok")


def test_the_doctor_finds_a_hook_that_was_taken_away_or_changed(archive, connected):
    (connected / "handing_over.py").write_text("raise SystemExit(1)", "utf-8")
    (found,) = examine(archive, None)
    assert (found.changed, found.round_trip, found.is_well) == (("handing_over.py",), "failed", False)
    for path in connected.iterdir():
        if path.is_file():
            path.unlink()
    (found,) = examine(archive, None)
    assert (found.changed, found.round_trip) == (None, "not_tried")


@contextmanager
def host_that_answers(secret, *, says="right"):
    """A host on loopback that has the hook of `secret` in it."""

    class Host(BaseHTTPRequestHandler):
        def do_GET(self):
            asked = parse_qs(urlsplit(self.path).query)["say"][0]
            key = bytes.fromhex(secret) if says == "right" else bytes(32)
            mac = hmac.new(key, f"makingof-doctor/1\n{asked}\n".encode(), "sha256").hexdigest()
            body = b"<html>" if says == "junk" else json.dumps({"mac": mac, "attached": ["answers"]}).encode()
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)

    with served_by(Host) as address:
        yield address


@pytest.mark.parametrize(
    ("says", "host"), [("right", "attached"), ("wrong", "not_ours"), ("junk", "no_answer")]
)
def test_the_doctor_asks_the_running_host_for_a_proof(archive, connected, says, host):
    secret = carried.load_connection(connected / "connection.json")["secret"]
    with host_that_answers(secret, says=says) as url:
        (found,) = examine(archive, url)
    assert found.host == host


def test_a_host_that_proves_one_hook_is_no_fault_of_the_others(archive, connected, tmp_path):
    connect(archive, plan_connection("a1111", make_webui(tmp_path / "webui")))
    hooks = {hook.tool: hook for hook in hook_folder(archive).all()}
    with host_that_answers(hooks["a1111"].secret) as url:
        found = examine(archive, url)
    assert {item.hook.tool: item.host for item in found} == {"a1111": "attached", "comfyui": "not_asked"}


@pytest.mark.parametrize(
    "url", ["http://example.org:80", "https://127.0.0.1:1", "127.0.0.1:8188", "http://[::1"]
)
def test_no_other_machine_is_ever_asked(archive, connected, url):
    with pytest.raises(UsageError):
        examine(archive, url)
