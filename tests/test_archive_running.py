"""The recorder that runs: one per archive, seen by hooks, ended by asking."""

import plistlib
import re
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from defusedxml import ElementTree
from tests.hooks import connect_hook, events, job, own_facts, stream_of
from tests.records import a1111_png

from makingof.archive.archive import open_archive
from makingof.archive.at_login import install_login_item, login_item, remove_login_item
from makingof.archive.hooks import spool_path
from makingof.archive.presence import is_running
from makingof.archive.running import ask_to_stop, record_on, watched_folders
from makingof.clock import SystemClock
from makingof.config import Settings
from makingof.errors import ConflictError, UsageError
from makingof.event import Kind

ARGUMENTS = ("/opt/my python/bin/python", "-m", "makingof", "watch", "--archive", '/home/x/50% "art"/$HOME')


def item_for(system, home, arguments, environment):
    item = login_item(system, home, arguments, environment)
    assert item is not None
    return item


class Running:
    """`record_on` in a thread with an archive of its own, as a process has."""

    def __init__(self, home, folders):
        self.home, self.folders = home, folders
        self.problems = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def _run(self):
        with open_archive(self.home, SystemClock()) as archive:
            for told in record_on(archive, self.folders, None, self.stop):
                if told.problem is not None:
                    self.problems.append(told.problem)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()


@pytest.fixture
def live(archive):
    archive.clock = archive.recorder._clock = SystemClock()
    return archive


def wait_for(condition):
    deadline = time.monotonic() + 15
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    assert condition()


def followed(archive, kind):
    archive.index.follow(archive.log)
    return len(archive.index.positions_of_kind(kind))


def test_it_takes_in_what_hooks_hand_over_and_what_arrives_and_ends_when_asked(live, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    hook = connect_hook(live)
    with Running(live.home, [folder]) as running:
        wait_for(lambda: is_running(live))
        stream = stream_of(hook, live.clock)
        stream.open({})
        job(stream)
        (folder / "a.png").write_bytes(a1111_png("a crane", "", Seed=1))
        assert not stream.ensure_drained()
        wait_for(lambda: followed(live, Kind.GENERATED) == 2)
        assert ask_to_stop(live, 15)
        running.thread.join(15)
        assert running.problems == []
    assert {means for _, means in events(live, "generated")} == {"live", "watched"}
    assert [facts.get("of") for facts in own_facts(live, Kind.OPENED)].count("watch") == 1
    assert followed(live, Kind.CLOSED) == 1
    assert not (spool_path(live) / "recorder").exists()


def test_a_second_recorder_is_refused(live, tmp_path):
    with Running(live.home, []):
        wait_for(lambda: is_running(live))
        with pytest.raises(ConflictError):
            next(record_on(live, [], None, threading.Event()))


def test_a_recorder_that_died_is_not_taken_for_one_that_runs(live):
    spool_path(live).mkdir(exist_ok=True)
    for told in ('{"boot": "another", "uptime_ms": 0}', "junk", "{}"):
        (spool_path(live) / "recorder").write_text(told, "utf-8")
        assert not is_running(live)
    assert ask_to_stop(live, 0)


def test_folders_named_are_remembered_and_the_change_recorded(live, tmp_path):
    folder = tmp_path / "out"
    folder.mkdir()
    assert watched_folders(live, [folder]) == [folder]
    assert watched_folders(live, [folder]) == [folder]
    assert [facts["what"] for facts in own_facts(live, Kind.CONFIGURED)] == ["watched"]
    assert Settings.parse((live.home.path / "makingof.toml").read_text("utf-8")).watched == (str(folder),)
    with pytest.raises(UsageError):
        watched_folders(live, [tmp_path / "not there"])


def test_the_background_recorder_is_started_and_ended_from_the_command_line(tmp_path, monkeypatch):
    env = {"HOME": str(tmp_path), "MAKINGOF_STATE": str(tmp_path / "state"), "PATH": "/usr/bin:/bin"}

    def call(*arguments):
        command = [sys.executable, "-m", "makingof", *arguments, "--archive", str(tmp_path / "a/.makingof")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=60)
        return done.returncode, done.stdout

    assert call("init", str(tmp_path / "a"), "--owner", "X", "--no-stamps")[0] == 0
    (tmp_path / "out").mkdir()
    assert call("start", str(tmp_path / "out"))[0] == 0
    try:
        (tmp_path / "out/a.png").write_bytes(a1111_png("a crane", "", Seed=1))
        wait_for(lambda: '"generated"' in call("log", "--json", "--kind", "generated")[1])
    finally:
        assert call("stop")[0] == 0
    assert call("stop")[1].startswith("no recorder")


def test_a_systemd_unit_starts_the_recorder_and_quotes_what_systemd_would_read(tmp_path):
    item = item_for("linux", tmp_path, ARGUMENTS, {"MAKINGOF_STATE": "/s"})
    text = item.data.decode()
    assert item.path == tmp_path / ".config/systemd/user/makingof.service"
    assert 'ExecStart="/opt/my python/bin/python" "-m"' in text
    assert '"/home/x/50%% \\"art\\"/$$HOME"' in text
    assert 'Environment="MAKINGOF_STATE=/s"' in text


def test_a_login_item_is_installed_and_taken_away_again(tmp_path):
    item = item_for("linux", tmp_path, ARGUMENTS, {})
    install_login_item(item)
    install_login_item(item)
    assert item.link is not None
    assert item.link.resolve() == item.path
    assert remove_login_item(item)
    assert not item.path.exists()
    assert not item.link.is_symlink()
    assert not remove_login_item(item)


def test_a_launch_agent_says_the_same(tmp_path):
    item = item_for("darwin", tmp_path, ARGUMENTS, {"MAKINGOF_STATE": "/s", "OTHER": "x"})
    told = plistlib.loads(item.data)
    assert item.path == tmp_path / "Library/LaunchAgents/org.makingof.recorder.plist"
    assert told["ProgramArguments"] == list(ARGUMENTS)
    assert told["EnvironmentVariables"] == {"MAKINGOF_STATE": "/s"}
    assert told["RunAtLoad"] is True
    # launchd.plist(5): the keys there are, each with the type it must have.
    types = {"Label": str, "ProgramArguments": list, "EnvironmentVariables": dict, "RunAtLoad": bool}
    types |= {"KeepAlive": dict, "ProcessType": str}
    assert {name: type(value) for name, value in told.items()} == types
    assert told["KeepAlive"] == {"SuccessfulExit": False}
    assert told["ProcessType"] in {"Background", "Standard", "Adaptive", "Interactive"}


# MS-TSCH, 2.5: the elements each type may hold, in an order its schema allows, and the values it takes.
TASK_ORDER = {
    "Task": ["RegistrationInfo", "Triggers", "Principals", "Settings", "Data", "Actions"],
    "RegistrationInfo": ["URI", "SecurityDescriptor", "Source", "Date", "Author", "Version", "Description"],
    "Triggers": ["LogonTrigger"],
    "LogonTrigger": ["Enabled", "StartBoundary", "EndBoundary", "ExecutionTimeLimit", "UserId", "Delay"],
    "Principals": ["Principal"],
    "Principal": ["UserId", "LogonType", "GroupId", "DisplayName", "RunLevel"],
    "Settings": [
        "AllowStartOnDemand", "RestartOnFailure", "MultipleInstancesPolicy", "DisallowStartIfOnBatteries",
        "StopIfGoingOnBatteries", "AllowHardTerminate", "StartWhenAvailable", "ExecutionTimeLimit",
        "Priority",
    ],
    "Actions": ["Exec"],
    "Exec": ["Command", "Arguments", "WorkingDirectory"],
}  # fmt: skip
TASK_VALUES = {
    "Enabled": "true|false",
    "DisallowStartIfOnBatteries": "true|false",
    "StopIfGoingOnBatteries": "true|false",
    "MultipleInstancesPolicy": "Parallel|Queue|IgnoreNew|StopExisting",
    "ExecutionTimeLimit": "PT[0-9]+S",
    "Priority": "[0-9]|10",
    "LogonType": "S4U|Password|InteractiveToken|InteractiveTokenOrPassword",
    "RunLevel": "LeastPrivilege|HighestAvailable",
}


@pytest.mark.parametrize("user", [{}, {"USERNAME": "ada & co"}, {"USERNAME": "ada", "USERDOMAIN": "HOME"}])
def test_a_scheduled_task_has_the_shape_of_its_published_schema(tmp_path, user):
    item = item_for("win32", tmp_path, ("C:\\python.exe", "-m", "makingof"), user)
    root = ElementTree.fromstring(item.data.decode("utf-16"))
    for element in root.iter():
        name, inside = plain_name(element), [plain_name(child) for child in element]
        if inside:
            assert inside == [known for known in TASK_ORDER[name] if known in inside]
        elif name in TASK_VALUES:
            assert re.fullmatch(TASK_VALUES[name], element.text or "")
    principal = [element for element in root.iter() if plain_name(element) == "Principal"]
    actions = next(element for element in root.iter() if plain_name(element) == "Actions")
    assert [actions.get("Context")] == ([element.get("id") for element in principal] or [None])
    users = [element.text for element in root.iter() if plain_name(element) == "UserId"]
    account = "\\".join(user[name] for name in ("USERDOMAIN", "USERNAME") if name in user)
    assert users == [account] * (2 if user else 0)


def plain_name(element):
    return element.tag.removeprefix("{http://schemas.microsoft.com/windows/2004/02/mit/task}")


@pytest.mark.parametrize(
    ("word", "spelled"),
    [
        ("plain", "plain"),
        ("", '""'),
        ("C:\\my art\\", '"C:\\my art\\\\"'),
        ("C:\\a&b\\", '"C:\\a&b\\\\"'),
        ('say "x"', '"say \\"x\\""'),
    ],
)
def test_words_of_a_task_are_quoted_as_windows_splits_them(tmp_path, word, spelled):
    item = item_for("win32", tmp_path, ("C:\\python.exe", "-m", word), {})
    root = ElementTree.fromstring(item.data.decode("utf-16"))
    assert root.findtext(".//{*}Arguments") == f"-m {spelled}"


@pytest.mark.parametrize("environment", [{}, {"MAKINGOF_STATE": "C:\\a & b"}])
def test_a_scheduled_task_says_the_same(tmp_path, environment):
    arguments = (
        "C:\\Program Files\\Python\\python.exe",
        "-m",
        "makingof",
        "watch",
        "--archive",
        "C:\\my art & <x>",
    )
    item = item_for("win32", tmp_path, arguments, environment)
    root = ElementTree.fromstring(item.data.decode("utf-16"))
    space = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"
    spelled = root.findtext(f".//{space}Arguments") or ""
    assert '"C:\\my art & <x>"' in spelled
    assert root.find(f".//{space}LogonTrigger") is not None
    assert item.enable[:2] == ("schtasks", "/Create")


def test_an_unknown_system_has_none(tmp_path):
    assert login_item("plan9", tmp_path, ARGUMENTS, {}) is None


@pytest.mark.integration
def test_systemd_itself_accepts_the_unit(tmp_path):
    python = Path(sys.executable)
    item = item_for("linux", tmp_path, (str(python), "-m", "makingof"), {"MAKINGOF_STATE": "/s"})
    unit = tmp_path / "makingof.service"
    unit.write_bytes(item.data)
    program = shutil.which("systemd-analyze")
    assert program is not None
    env = {"XDG_RUNTIME_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": "/usr/bin:/bin"}
    subprocess.run([program, "verify", "--user", str(unit)], check=True, capture_output=True, env=env)
