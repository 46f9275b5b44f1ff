"""The second opinion: `openssl ts -verify`, where an OpenSSL is found.

Two traps decide how it is called. Without `-attime` it checks the chain at
*now*, so it accepts a token dated before its certificate existed and refuses
a good one whose certificate has since expired. And a response and a token are
different files: responses are given to it, as they were received.
"""

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from makingof.digest import Digest
from makingof.errors import ProofError

_TIMEOUT_SECONDS = 20.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_ONE_SECOND = timedelta(seconds=1)
# LibreSSL calls itself `openssl` too and has no -attime, as OpenSSL before 1.1.0 has none in ts.
_VERSION = re.compile(r"OpenSSL ((?:1\.1|[3-9]|[1-9]\d+)\.\S+)")


@dataclass(frozen=True, slots=True)
class OpenSsl:
    """A usable `openssl` program."""

    program: str
    version: str
    timeout_seconds: float = _TIMEOUT_SECONDS

    def __str__(self) -> str:
        return f"openssl {self.version}"

    def verify(
        self,
        response: bytes,
        digest: Digest,
        *,
        root: bytes,
        chain: bytes,
        at: datetime,
        request: bytes | None = None,
    ) -> None:
        """Have `response` verified over `digest` at `at`; of the PEM files only `root` is trusted.

        With `request` the nonce is compared too. Raises `ProofError` with
        OpenSSL's own words; not finishing in time counts as a refusal, else a
        token made to hang one verifier would be judged by the other alone.
        """
        with tempfile.TemporaryDirectory(prefix="makingof-") as name:
            folder = Path(name)
            (folder / "r.tsr").write_bytes(response)
            (folder / "root.pem").write_bytes(root)
            arguments = ["ts", "-verify", "-in", "r.tsr", "-CAfile", "root.pem"]
            arguments += ["-attime", str((at - _EPOCH) // _ONE_SECOND)]
            if chain:
                (folder / "chain.pem").write_bytes(chain)
                arguments += ["-untrusted", "chain.pem"]
            if request is None:
                arguments += ["-digest", digest.hex]
            else:
                (folder / "q.tsq").write_bytes(request)
                arguments += ["-queryfile", "q.tsq"]
            self._run(arguments, folder)

    def _run(self, arguments: list[str], folder: Path) -> None:
        try:
            done = subprocess.run(
                [self.program, *arguments],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout_seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as err:
            message = f"{self} did not finish in {self.timeout_seconds:g} s"
            raise ProofError(message) from err
        except OSError as err:
            message = f"{self} could not be run: {err}"
            raise ProofError(message) from err
        said = (done.stdout + done.stderr).decode(errors="replace")
        if done.returncode != 0 or "Verification: OK" not in said:
            message = f"{self} refuses the time-stamp token: {_last_reason(said)}"
            raise ProofError(message)


def find_openssl(program: str = "openssl") -> OpenSsl | None:
    """Return the `openssl` on the search path, or None where there is none with `ts -verify -attime`.

    One in the current folder is not taken, although Windows looks there first:
    a package unpacked there could bring a verifier that always agrees.
    """
    found = shutil.which(program)
    if found is None or not Path(found).is_absolute():
        return None
    try:
        done = subprocess.run([found, "version"], capture_output=True, timeout=_TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = _VERSION.match(done.stdout.decode(errors="replace"))
    return OpenSsl(found, match.group(1)) if match else None


def _last_reason(said: str) -> str:
    """Keep the reason out of OpenSSL's error queue: `…:ts_check_status_info:unaccepted policy:…:`."""
    lines = [line.strip() for line in said.splitlines() if line.strip() and "Using configuration" not in line]
    return " / ".join(lines)[:600] or "no reason given"
