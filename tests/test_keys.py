import base64
import stat
import subprocess
import sys
import textwrap
import types

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.logs import KEY, OTHER_KEY, flips

from makingof.digest import Digest
from makingof.errors import (
    ConflictError,
    LogForkError,
    MalformedError,
    ProofError,
    StorageError,
    UnavailableError,
    UsageError,
)
from makingof.keys.folder import (
    create_key,
    create_key_in_keyring,
    find_exposed_keys,
    find_key,
    keep_key,
    list_origins,
)
from makingof.keys.mark import Mark, MarkFile, format_mark, parse_mark
from makingof.keys.recovery import RecoveryKey
from makingof.keys.signing import PublicKey, SigningKey, file_stem
from makingof.keys.sshsig import (
    PACKAGE_NAMESPACE,
    allowed_signers,
    openssh_key,
    sign_ssh,
    signer_of,
    verify_ssh,
)

# RFC 8032, 7.1, test 2
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)
FIELD_PRIME = 2**255 - 19


# Keys


def test_the_signature_of_rfc_8032():
    key = SigningKey.from_seed(SEED)
    assert key.public == PublicKey(PUBLIC)
    assert key.sign(b"\x72") == SIGNATURE
    key.public.verify(SIGNATURE, b"\x72")
    for changed in flips(SIGNATURE):
        with pytest.raises(ProofError):
            key.public.verify(changed, b"\x72")
    for signature, message in ((SIGNATURE, b"\x73"), (SIGNATURE[:-1], b"\x72"), (b"", b"\x72")):
        with pytest.raises(ProofError):
            key.public.verify(signature, message)


def test_the_origin_is_made_from_the_key_and_cannot_be_chosen():
    assert KEY.origin == "makingof/" + Digest.of(KEY.public.raw).hex[:32]
    assert KEY.public.vkey.startswith(KEY.origin + "+")
    assert file_stem(KEY.origin) == KEY.origin[9:]


@pytest.mark.parametrize(
    "origin", ["", "makingof/", "makingof/../../x", "makingof/" + "A" * 32, "x/" + "a" * 32]
)
def test_no_other_name_leads_to_a_file(tmp_path, origin):
    for ask in (
        lambda: file_stem(origin),
        lambda: find_key(tmp_path, origin),
        lambda: MarkFile(tmp_path, origin),
    ):
        with pytest.raises(MalformedError):
            ask()


def points_of_small_order():
    """Multiply any points by the order of the prime subgroup: what is left has an order that divides 8."""
    prime, order = FIELD_PRIME, 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, prime) % prime

    def add(left, right):
        (x1, y1), (x2, y2) = left, right
        k = d * x1 * x2 * y1 * y2 % prime
        x = (x1 * y2 + x2 * y1) * pow(1 + k, -1, prime)
        y = (y1 * y2 + x1 * x2) * pow(1 - k, -1, prime)
        return x % prime, y % prime

    def times(count, point):
        result = (0, 1)
        while count:
            if count & 1:
                result = add(result, point)
            point, count = add(point, point), count >> 1
        return result

    def root(square):
        x = pow(square, (prime + 3) // 8, prime)
        if x * x % prime != square:
            x = x * pow(2, (prime - 1) // 4, prime) % prime
        return x if x * x % prime == square else None

    found = set()
    for y in range(2, 40):
        x = root((y * y - 1) * pow(d * y * y + 1, -1, prime) % prime)
        if x is not None:
            torsion = times(order, (x, y))
            found |= {times(count, torsion) for count in range(8)}
    return found


def test_keys_of_small_order_and_second_spellings_are_refused():
    points = points_of_small_order()
    assert len(points) == 8
    for x, y in points:
        for spelled in {y, y + FIELD_PRIME} - {number for number in (y + FIELD_PRIME,) if number >= 2**255}:
            for sign in (0, 1, x & 1):
                with pytest.raises(MalformedError):
                    PublicKey((spelled | sign << 255).to_bytes(32, "little"))
    for raw in (b"", bytes(31), bytes(33), FIELD_PRIME.to_bytes(32, "little"), b"\xff" * 32):
        with pytest.raises(MalformedError):
            PublicKey(raw)


def test_a_private_key_is_never_shown():
    assert repr(KEY) == f"<SigningKey {KEY.origin}>"
    assert SigningKey.make().public != SigningKey.make().public
    with pytest.raises(MalformedError):
        SigningKey.from_seed(b"short")


def test_a_key_is_read_back_from_its_pem_and_from_nothing_else():
    pem = KEY.to_pem()
    assert SigningKey.from_pem(pem).public == KEY.public
    other = X25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    wrapped = pem.replace(b"BEGIN PRIVATE", b"BEGIN ENCRYPTED PRIVATE")
    for data in (
        b"",
        b"nonsense",
        KEY.public.pem,
        pem[:60],
        pem.replace(b"M", b"m"),
        other,
        wrapped,
        pem * 2,
    ):
        with pytest.raises(MalformedError):
            SigningKey.from_pem(data)


def test_keys_are_spelled_as_the_library_spells_them():
    private = load_pem_private_key(KEY.to_pem(), password=None)
    assert KEY.to_pem() == private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    spelled = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    assert KEY.public.pem == spelled
    assert SigningKey.from_pem(KEY.to_pem().replace(b"\n", b"\r\n")).public == KEY.public


# Where keys lie


def test_a_key_is_made_private_and_found_by_its_origin(tmp_path):
    key = create_key(tmp_path / "state")
    path = tmp_path / "state" / "keys" / f"{file_stem(key.origin)}.pem"
    if sys.platform != "win32":
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert find_key(tmp_path / "state", key.origin).public == key.public
    assert list_origins(tmp_path / "state") == [key.origin]
    assert find_key(tmp_path / "state", KEY.origin) is None
    assert list_origins(tmp_path / "none") == []


def test_a_key_is_never_overwritten(tmp_path):
    keep_key(tmp_path, KEY)
    before = next((tmp_path / "keys").iterdir()).read_bytes()
    with pytest.raises(UsageError):
        keep_key(tmp_path, KEY)
    assert [path.read_bytes() for path in (tmp_path / "keys").iterdir()] == [before]


def test_a_file_that_holds_another_key_is_malformed(tmp_path):
    keep_key(tmp_path, KEY)
    path = next((tmp_path / "keys").iterdir())
    for data in (OTHER_KEY.to_pem(), b"torn", b""):
        path.write_bytes(data)
        with pytest.raises(MalformedError):
            find_key(tmp_path, KEY.origin)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no mode bits")
def test_keys_that_others_may_read_are_found(tmp_path):
    keep_key(tmp_path, KEY)
    assert find_exposed_keys(tmp_path) == []
    path = next((tmp_path / "keys").iterdir())
    path.chmod(0o644)
    assert find_exposed_keys(tmp_path) == [path]


class Keyring(types.ModuleType):
    """What the `keyring` package offers, in memory."""

    class errors(types.ModuleType):  # noqa: N801 - a module there
        class KeyringError(Exception):
            pass

    def __init__(self, *, keeps=True, locked=False):
        super().__init__("keyring")
        self.__path__ = []
        self._keeps, self._locked, self._secrets = keeps, locked, {}

    def set_password(self, service, name, secret):
        if self._locked:
            raise self.errors.KeyringError
        if self._keeps:
            self._secrets[service, name] = secret

    def get_password(self, service, name):
        if self._locked:
            raise self.errors.KeyringError
        return self._secrets.get((service, name))


def install(monkeypatch, keyring):
    monkeypatch.setitem(sys.modules, "keyring", keyring)
    monkeypatch.setitem(sys.modules, "keyring.errors", keyring and keyring.errors)


def test_a_key_in_the_systems_keyring_leaves_no_key_file(tmp_path, monkeypatch):
    install(monkeypatch, Keyring())
    key = create_key_in_keyring(tmp_path)
    assert find_key(tmp_path, key.origin).public == key.public
    assert list_origins(tmp_path) == [key.origin]
    assert all(b"PRIVATE" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    install(monkeypatch, Keyring())
    assert find_key(tmp_path, key.origin) is None
    install(monkeypatch, Keyring(locked=True))
    with pytest.raises(UnavailableError):
        find_key(tmp_path, key.origin)


@pytest.mark.parametrize("keyring", [None, Keyring(keeps=False), Keyring(locked=True)])
def test_a_keyring_that_is_missing_locked_or_forgetful_is_said_so_before_a_log_begins(
    tmp_path, monkeypatch, keyring
):
    install(monkeypatch, keyring)
    with pytest.raises(UnavailableError) as caught:
        create_key_in_keyring(tmp_path)
    assert caught.value.hint
    assert list_origins(tmp_path) == []


def test_the_keyring_is_not_loaded_where_it_is_not_used(tmp_path):
    code = (
        "import sys; from pathlib import Path; from makingof.keys.folder import create_key;"
        f"create_key(Path({str(tmp_path)!r})); assert 'keyring' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# Recovery keys


def test_a_recovery_key_is_read_back_as_people_type_it():
    key = RecoveryKey.make()
    assert RecoveryKey.parse(key.text) == key
    typed = key.text.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert RecoveryKey.parse(f" {typed}\n") == key
    assert RecoveryKey.parse(key.text).signing_key.public == key.signing_key.public
    assert key.public_digest == Digest.of(key.signing_key.public.raw)
    assert key.text not in repr(key)
    assert RecoveryKey.make() != key


def test_the_vector_of_the_specification():
    key = RecoveryKey(bytes(range(20)))
    assert key.text == "R1-000G-40R4-0M30-E209-185G-R38E-1W81-24GK-D6NY"
    assert key.signing_key.origin == "makingof/c6c483d9fc3a1c2d311d202faa0cfe36"


@given(
    st.binary(min_size=20, max_size=20),
    st.integers(3, 46),
    st.sampled_from("0123456789ABCDEFGHJKMNPQRSTVWXYZ"),
)
@settings(max_examples=60, deadline=None)
def test_a_slip_of_the_hand_is_noticed(secret, place, letter):
    text = RecoveryKey(secret).text
    if text[place] in {letter, "-"}:
        return
    with pytest.raises(UsageError):
        RecoveryKey.parse(text[:place] + letter + text[place + 1 :])


@pytest.mark.parametrize(
    "text", ["", "R1", "R2" + "-0000" * 9, "R1" + "-0000" * 8, "R1" + "-0000" * 10, "R1" + "-UUUU" * 9]
)
def test_what_is_no_recovery_key_is_a_usage_error_with_a_hint(text):
    with pytest.raises(UsageError) as caught:
        RecoveryKey.parse(text)
    assert caught.value.hint


# Marks


@pytest.fixture
def mark_file(tmp_path):
    return MarkFile(tmp_path, KEY.origin)


def test_a_mark_goes_only_forward(mark_file):
    assert mark_file.read() is None
    with mark_file.locked(1):
        mark_file.advance(Mark(0, bytes(32)))
        mark_file.advance(Mark(5, bytes(32)))
        mark_file.advance(Mark(5, bytes(32)))
        for mark in (Mark(4, bytes(32)), Mark(5, b"x" * 32), Mark(0, bytes(32))):
            with pytest.raises(LogForkError):
                mark_file.advance(mark)
    assert mark_file.read() == Mark(5, bytes(32))
    assert mark_file.path.name == file_stem(KEY.origin) + ".json"


@given(st.integers(0, 2**70), st.binary(min_size=32, max_size=32))
@settings(max_examples=40, deadline=None)
def test_a_mark_has_one_spelling(size, root):
    assert parse_mark(format_mark(Mark(size, root))) == Mark(size, root)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 5000,
        b'{"v": 2, "size": 1, "root": "' + b"0" * 64 + b'"}\n',
        b'{"v": 1, "size": 1.0, "root": "' + b"0" * 64 + b'"}\n',
        b'{"v": 1, "size": true, "root": "' + b"0" * 64 + b'"}\n',
        b'{"v": 1, "size": -1, "root": "' + b"0" * 64 + b'"}\n',
        b'{"v": 1, "size": 1, "root": "00"}\n',
        b'{"v": 1, "size": 1, "root": 5}\n',
        b'{"v": 1, "size": 1, "root": "' + b"A" * 64 + b'"}\n',
        b'{"v": 1, "size": ' + b"9" * 5000 + b', "root": "' + b"0" * 64 + b'"}\n',
        b"\xff\xfe",
    ],
)
def test_other_spellings_of_a_mark_are_malformed(mark_file, data):
    with pytest.raises(MalformedError):
        parse_mark(data)
    mark_file.path.parent.mkdir()
    mark_file.path.write_bytes(data)
    with pytest.raises(MalformedError):
        mark_file.read()


def test_a_mark_that_cannot_be_read_is_not_taken_for_a_missing_one(mark_file):
    mark_file.path.mkdir(parents=True)
    with pytest.raises(StorageError):
        mark_file.read()


def test_the_lock_of_a_mark_is_held_by_one_at_a_time(mark_file):
    with mark_file.locked(1):
        with pytest.raises(ConflictError) as caught, mark_file.locked(0.02):
            pass
        assert caught.value.hint
    with mark_file.locked(0):
        pass


def test_a_state_folder_that_cannot_be_is_a_storage_error(tmp_path):
    (tmp_path / "state").write_bytes(b"a file")
    with pytest.raises(StorageError), MarkFile(tmp_path / "state", KEY.origin).locked(1):
        pass
    with pytest.raises(StorageError):
        create_key(tmp_path / "state")


# OpenSSH signatures


def test_a_signature_has_one_text_and_checks():
    signature = sign_ssh(KEY, b"manifest", PACKAGE_NAMESPACE)
    verify_ssh(signature, b"manifest", KEY.public, PACKAGE_NAMESPACE)
    assert sign_ssh(KEY, b"manifest", PACKAGE_NAMESPACE) == signature
    assert signer_of(signature) == KEY.public
    for changed in flips(signature):
        with pytest.raises((MalformedError, ProofError)):
            verify_ssh(changed, b"manifest", KEY.public, PACKAGE_NAMESPACE)


def test_a_signature_by_another_key_over_other_bytes_or_for_another_purpose_is_refused():
    signature = sign_ssh(KEY, b"manifest", PACKAGE_NAMESPACE)
    for message, key, namespace in (
        (b"manifes", KEY, PACKAGE_NAMESPACE),
        (b"manifest", OTHER_KEY, PACKAGE_NAMESPACE),
        (b"manifest", KEY, "file"),
    ):
        with pytest.raises(ProofError):
            verify_ssh(signature, message, key.public, namespace)


def armour(blob):
    lines = textwrap.wrap(base64.b64encode(blob).decode(), 70)
    return "\n".join(("-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", "")).encode()


@given(st.binary(max_size=300))
@settings(max_examples=80, deadline=None)
def test_arbitrary_bytes_are_no_signature(data):
    for whole in (data, armour(data), armour(b"SSHSIG\0\0\0\1" + data)):
        with pytest.raises((MalformedError, ProofError)):
            verify_ssh(whole, b"", KEY.public, PACKAGE_NAMESPACE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"\0\0\0\x0bssh-ed25519\0\0\0\x40", b"\0\0\0\x0bssh-ed25518\0\0\0\x40"),
        (b"\0\0\0\x06sha512", b"\0\0\0\x06sha256"),
        (b"makingof-package\0\0\0\0", b"makingof-package\0\0\0\1x"),
        (b"SSHSIG\0\0\0\1", b"SSHSIG\0\0\0\2"),
        (b"\0\0\0\x33", b"\0\0\0\x34"),
        (b"\0\0\0\x33", b"\xff\xff\xff\xff"),
    ],
)
def test_a_signature_of_another_kind_is_refused(old, new):
    lines = sign_ssh(KEY, b"manifest", PACKAGE_NAMESPACE).decode().split("\n")
    blob = base64.b64decode("".join(lines[1:-2]))
    assert blob.count(old) == 1
    with pytest.raises((MalformedError, ProofError)):
        verify_ssh(armour(blob.replace(old, new)), b"manifest", KEY.public, PACKAGE_NAMESPACE)


def test_the_signer_must_be_an_ed25519_key():
    lines = sign_ssh(KEY, b"manifest", PACKAGE_NAMESPACE).decode().split("\n")
    blob = base64.b64decode("".join(lines[1:-2]))
    with pytest.raises(MalformedError):
        signer_of(armour(blob.replace(b"ssh-ed25519", b"ssh-ed25518", 1)))


def test_the_lines_for_openssh():
    line = openssh_key(KEY.public, "makingof")
    assert line.startswith("ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI")
    signer = allowed_signers(KEY.origin, KEY.public, PACKAGE_NAMESPACE)
    assert signer == f'{KEY.origin} namespaces="makingof-package" {" ".join(line.split()[:2])}\n'
    for principal, namespace in (
        ("a b", PACKAGE_NAMESPACE),
        ("", PACKAGE_NAMESPACE),
        ("a", 'x"y'),
        ("a", ""),
    ):
        with pytest.raises(UsageError):
            allowed_signers(principal, KEY.public, namespace)
    with pytest.raises(UsageError):
        sign_ssh(KEY, b"", "Not A Namespace")
