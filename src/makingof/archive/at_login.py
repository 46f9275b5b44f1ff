"""Starting at login: what each system wants written, as a value that can be shown before it is done."""

import plistlib
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from makingof import durable
from makingof.errors import StorageError
from makingof.texts import say

_LABEL = "org.makingof.recorder"


@dataclass(frozen=True, slots=True)
class LoginItem:
    """A file to write, a link that switches it on, and commands that do what files cannot."""

    path: Path
    data: bytes
    link: Path | None = None  # names `path`
    enable: tuple[str, ...] = ()
    disable: tuple[str, ...] = ()


def login_item(
    system: str, home: Path, arguments: Sequence[str], environment: Mapping[str, str]
) -> LoginItem | None:
    """Return what starts `arguments` at login on `system`, as `sys.platform` names it; None if unknown."""
    if system == "linux":
        return _systemd(home, arguments, environment)
    if system == "darwin":
        return _launch_agent(home, arguments, environment)
    if system == "win32":
        return _task(home, arguments, environment)
    return None


def install_login_item(item: LoginItem) -> None:
    """Write the file and switch it on."""
    durable.make_folders(item.path.parent)
    durable.replace(item.path, item.data)
    if item.link is not None:
        # What `systemctl --user enable` does; it may be missing where nobody is logged in.
        durable.make_folders(item.link.parent)
        durable.remove(item.link)
        item.link.symlink_to(item.path)
    _run(item.enable)


def remove_login_item(item: LoginItem) -> bool:
    """Take away what was installed; return whether anything was."""
    was_there = item.path.exists()
    if was_there:
        _run(item.disable)
    for path in (item.link, item.path):
        if path is not None:
            durable.remove(path)
    return was_there


def _run(command: Sequence[str]) -> None:
    if not command:
        return
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError) as err:
        raise StorageError(say("recording.login_failed", command=" ".join(command), reason=err)) from err


def _systemd(home: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> LoginItem:
    folder = Path(environment.get("XDG_CONFIG_HOME", str(home / ".config"))) / "systemd/user"
    lines = [
        "[Unit]",
        "Description=makingof records how pictures are made",
        "",
        "[Service]",
        "ExecStart=" + " ".join(_systemd_word(item) for item in arguments),
        *(f"Environment={_systemd_word(f'{name}={value}')}" for name, value in _kept(environment).items()),
        "Nice=10",
        "Restart=on-failure",
        "RestartSec=30",
        "",
        "[Install]",
        "WantedBy=default.target",
        "",
    ]
    path = folder / "makingof.service"
    link = folder / "default.target.wants/makingof.service"
    return LoginItem(path, "\n".join(lines).encode(), link)


def _systemd_word(text: str) -> str:
    """Quote as systemd reads it: percent signs are its specifiers, dollar signs its variables."""
    spelled = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{spelled}"'


def _launch_agent(home: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> LoginItem:
    told = {
        "Label": _LABEL,
        "ProgramArguments": list(arguments),
        "EnvironmentVariables": _kept(environment),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
    }
    path = home / "Library/LaunchAgents" / f"{_LABEL}.plist"
    return LoginItem(path, plistlib.dumps(told))


_PRINCIPAL = (
    '  <Principals><Principal id="Author">{user}<LogonType>InteractiveToken</LogonType>'
    "<RunLevel>LeastPrivilege</RunLevel></Principal></Principals>"
)


def _task(home: Path, arguments: Sequence[str], environment: Mapping[str, str]) -> LoginItem:
    program, *rest = arguments
    # Task Scheduler has no environment of its own: the state folder travels as an argument of cmd.
    settings = "".join(f'set "{name}={value}" && ' for name, value in _kept(environment).items())
    if settings:
        rest = ["/d", "/c", f'{settings}"{program}" ' + " ".join(_windows_word(item) for item in rest)]
        program = "cmd.exe"
        spelled = " ".join(rest)
    else:
        spelled = " ".join(_windows_word(item) for item in rest)
    account = _windows_account(environment)
    user = f"<UserId>{escape(account)}</UserId>" if account else ""
    context = ' Context="Author"' if user else ""
    principals = f"{_PRINCIPAL.format(user=user)}\n" if user else ""
    text = f"""<?xml version="1.0" encoding="UTF-16"?>
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>makingof records how pictures are made</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled>{user}</LogonTrigger></Triggers>
{principals}  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <Priority>8</Priority>
  </Settings>
  <Actions{context}><Exec><Command>{escape(program)}</Command><Arguments>{escape(spelled)}</Arguments></Exec></Actions>
</Task>
"""
    path = home / "AppData/Local/makingof/recorder-task.xml"
    return LoginItem(
        path,
        text.encode("utf-16"),
        enable=("schtasks", "/Create", "/TN", "makingof", "/XML", str(path), "/F"),
        disable=("schtasks", "/Delete", "/TN", "makingof", "/F"),
    )


def _windows_account(environment: Mapping[str, str]) -> str | None:
    """Name who logs on. A task for the logon of anybody only an administrator may add."""
    name, domain = environment.get("USERNAME"), environment.get("USERDOMAIN")
    return None if not name else f"{domain}\\{name}" if domain else name


def _windows_word(text: str) -> str:
    """Quote as programs split their command line, and what cmd would read as a sign of its own."""
    spelled = subprocess.list2cmdline([text])
    if spelled.startswith('"') or not set(text) & set("&<>|^()"):
        return spelled
    backslashes = len(text) - len(text.rstrip("\\"))
    return f'"{text}{text[len(text) - backslashes :]}"'


def _kept(environment: Mapping[str, str]) -> dict[str, str]:
    return {name: environment[name] for name in ("MAKINGOF_STATE",) if name in environment}
