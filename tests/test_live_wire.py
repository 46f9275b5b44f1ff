"""Bodies on the wire: what decodes, what is refused, what is taken out, and that nothing else changes."""

import json
import time
import zlib

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.services_host import KEY, Host, Reply, b64, png

from makingof.errors import MalformedError, UnavailableError
from makingof.live.exchange import Budget, Copy, End, describe_answer, describe_request
from makingof.live.fetching import fetch
from makingof.live.removal import REMOVED, clean_form, clean_json, is_secret_name
from makingof.live.wire import decode_content, form_fields, parse_json, sse_events


def pack(data, bits):
    packer = zlib.compressobj(wbits=bits)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(("name", "bits"), [("gzip", 31), ("deflate", 15), ("deflate", -15), ("X-GZIP", 31)])
@given(data=st.binary(max_size=5000), cut=st.integers(0, 20))
def test_a_coding_is_undone_and_what_was_cut_off_as_far_as_it_goes(name, bits, data, cut):
    packed = pack(data, bits)
    assert decode_content(packed, name) == (data, True)
    try:
        found, is_whole = decode_content(packed[: len(packed) - cut], name)
    except MalformedError:
        return
    assert data.startswith(found)
    assert is_whole is (cut == 0)


def test_members_one_after_another_and_codings_one_inside_another():
    assert decode_content(pack(b"a", 31) + pack(b"b", 31), "gzip") == (b"ab", True)
    assert decode_content(pack(pack(b"a", 15), 31), "deflate, gzip") == (b"a", True)
    assert decode_content(b"a", "identity") == (b"a", True)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (pack(bytes(2000), 31), "gzip"),
        (pack(bytes(600), 31) * 3, "gzip"),
        (b"no gzip", "gzip"),
        (b"a", "compress"),
        (b"a", "gzip, gzip, gzip, gzip"),
        (pack(b"", 31) * 20_000, "gzip"),
    ],
)
def test_a_bomb_and_an_unknown_coding_are_refused(data, name):
    with pytest.raises(MalformedError):
        decode_content(data, name, limit=1000)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_malformed(data):
    for read in (parse_json, sse_events, lambda b: form_fields(b, "multipart/form-data; boundary=-")):
        try:
            read(data)
        except MalformedError:
            continue


def test_numbers_stay_as_they_were_written():
    assert parse_json(b'{"seed": 18446744073709551615, "x": 7.0, "y": NaN}') == {
        "seed": "18446744073709551615",
        "x": "7.0",
        "y": "NaN",
    }
    with pytest.raises(MalformedError):
        parse_json(b"[" * 100_000)


def test_an_event_without_an_end_is_no_event():
    body = b": ping\r\nevent: a\r\ndata: 1\r\ndata: 2\r\n\r\nevent: b\ndata: 3\n\ndata: 4\n"
    assert sse_events(body) == [("a", "1\n2"), ("b", "3")]


# What is taken out

_names = st.sampled_from(
    ["api_key", "apiKey", "Authorization", "hf_token", "password", "x.secret", "cookies"]
)


@given(st.dictionaries(st.text(max_size=10), st.text(max_size=30), max_size=5), _names, st.text(min_size=1))
def test_only_the_value_of_a_credential_changes(others, name, secret):
    assume(not any(is_secret_name(key) for key in others) and "http" not in json.dumps(others))
    cleaned = clean_json(json.dumps(others | {name: secret}).encode(), {})
    assert json.loads(cleaned.data) == others | {name: REMOVED.decode()}
    assert cleaned.removed[-1] == name


def _inside(values):
    return st.lists(values) | st.dictionaries(st.text().filter(lambda key: not is_secret_name(key)), values)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.recursive(st.none() | st.integers() | st.floats() | st.text(max_size=20), _inside, max_leaves=8))
def test_what_names_no_credential_stays_as_it_is(value):
    data = json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")
    assume(b"http" not in data)
    assert clean_json(data, {}).data == data


@pytest.mark.parametrize(
    "body",
    [
        b'{"prompt": "my \\"api_key\\": \\"sk-0123456789\\" in words", "n": 1}',
        b'{"text": "https://a.example/x?sig=1"}',
        b'{"max_tokens": "5", "tokenizer": "t", "keyword": "k", "monkey": "m"}',
        b'{"seed": 18446744073709551615, "a": 1, "a": 2, "x": NaN}',
    ],
)
def test_words_and_settings_are_never_taken_out(body):
    assert clean_json(body, {}).data == body


def test_addresses_lose_their_query_and_pictures_become_names():
    text = b64(png())
    body = json.dumps({"url": "https://a.example/x.png?sig=1", "b64": text, "data": "A" * 70_000}).encode()
    found = json.loads(clean_json(body, {text: "output-0.png"}).data)
    assert found == {
        "url": "https://a.example/x.png?(removed by makingof)",
        "b64": f"({len(text)} characters, kept by makingof as output-0.png)",
        "data": "(70000 characters of base64, left out by makingof)",
    }


@pytest.mark.parametrize(
    "body",
    [
        b'{"detail": "403 for https://b.example/x.png?X-Amz-Signature=sig-1&e=1 given"}',
        b'{"logs": "GET HTTPS://user:sig-1@h.example/x\\nnext"}',
        b'{"url": "https:\\/\\/user:sig-1@h.example\\/x"}',
        b'{"detail": [{"input": "https://h.example/a.png?token=sig-1"}]}',
        b'{"url": " https://h.example/a.png?sig=sig-1"}',
        b'{"fal_key": "sig-1"}',
    ],
)
def test_what_lets_somebody_fetch_is_taken_out_wherever_it_is_quoted(body):
    cleaned = clean_json(body, {})
    assert b"sig-1" not in cleaned.data
    assert cleaned.removed
    assert json.loads(cleaned.data)


@pytest.mark.parametrize(
    "body",
    [
        b'{"revised_prompt": "as in https://a.example/x?y=1 at dusk"}',
        b'{"input": "a sign that says https://a.example/x?y=1"}',
        b'{"message": "see https://a.example/errors#key. Is that it?"}',
        b'{"prompt_cache_key": "k-1"}',
    ],
)
def test_words_that_hold_an_address_stay(body):
    assert clean_json(body, {}).data == body


@pytest.mark.parametrize("unit", [b"http://", b"http://a?", b"https:", b"http://@"])
def test_many_addresses_take_no_more_time_than_their_length(unit):
    start = time.process_time()
    clean_json(b'{"detail": "' + unit * 300_000 + b'"}', {})
    assert time.process_time() - start < 5


@pytest.mark.parametrize("unit", [b'\\"', b'"', b'"a":"', b"\\", b'"api_key":', b"http://"])
def test_a_body_cut_off_in_a_string_takes_no_more_time_than_its_length(unit):
    start = time.process_time()
    clean_json(b'{"api_key": "' + unit * 300_000, {})
    assert time.process_time() - start < 5


def test_a_secret_cut_off_is_taken_out_all_the_same():
    assert b"sk-01" not in clean_json(b'{"api_key": "sk-01', {}).data


def test_a_form_loses_its_files_its_credentials_and_what_was_cut_off():
    body = (
        b'--x\r\nContent-Disposition: form-data; name="prompt"\r\n\r\nwords\r\n'
        b'--x\r\nContent-Disposition: form-data; name="api_key"\r\n\r\nsk-0123\r\n'
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\nBYTES\r\n--x--\r\n'
    )
    content_type = "multipart/form-data; boundary=x"
    cleaned = clean_form(body, form_fields(body, content_type))
    assert (b"words" in cleaned.data, b"sk-0123" in cleaned.data, b"BYTES" in cleaned.data) == (
        True,
        False,
        False,
    )
    assert (cleaned.removed, cleaned.data.endswith(b"--x--\r\n")) == (["api_key"], True)
    for end in range(len(body)):
        cut = body[:end]
        kept = clean_form(cut, form_fields(cut, content_type)).data
        assert b"sk-" not in kept
        assert b"BYT" not in kept


# What an exchange keeps


def request_of(url="https://u:pass-word-1@a.example/v1?key=in-the-query&alt=sse", **headers):
    return describe_request("post", url, list(headers.items()), 0)


def test_headers_and_query_are_kept_by_list():
    told = request_of(Authorization=f"Bearer {KEY}", Prefer="wait", X_Strange="1")
    assert (told.url, told.headers) == ("https://a.example/v1?alt=sse", {"prefer": "wait"})
    assert told.removed == ("authorization", "query: key")
    assert set(told.secrets) == {f"Bearer {KEY}".encode(), KEY.encode(), b"in-the-query", b"pass-word-1"}


@pytest.mark.parametrize("url", ["http://[", "http://a:b/", "http://a/?" + "&".join(["a=1"] * 300)])
def test_an_address_that_is_none_is_malformed_and_not_quoted(url):
    with pytest.raises(MalformedError) as raised:
        request_of(url)
    assert url not in str(raised.value)


def test_an_answer_loses_the_credentials_of_its_request():
    copy = Copy(Budget())
    copy.add(pack(f"you sent {KEY}".encode(), 31))
    headers = [("Content-Encoding", "gzip"), ("X-Request-Id", KEY), ("Set-Cookie", "a=b")]
    told = describe_answer(request_of(authorization=f"Bearer {KEY}"), 401, headers, copy, End.WHOLE)
    assert told.body == b"you sent " + REMOVED
    assert told.headers == {"content-encoding": "gzip", "x-request-id": REMOVED.decode()}


@pytest.mark.parametrize("echo", [rb"id-0123:se\/cret+1", b"id-0123%3Ase%2Fcret%2B1"])
def test_a_credential_is_known_in_the_spellings_of_json_and_of_addresses(echo):
    copy = Copy(Budget())
    copy.add(b'{"message": "' + echo + b'"}')
    told = describe_answer(request_of(authorization="Key id-0123:se/cret+1"), 401, [], copy, End.WHOLE)
    assert b"cret" not in told.body


def test_a_copy_over_its_limit_keeps_nothing_and_gives_its_memory_back():
    budget = Budget(limit=100, one=60)
    first, second = Copy(budget), Copy(budget)
    first.add(bytes(50))
    second.add(bytearray(40))
    second.add(bytes(15))
    assert (second.take(), second.size) == (None, 55)
    first.add(bytes(11))
    assert first.take() is None
    assert budget.take(100)


# Fetching


@pytest.fixture
def host():
    with Host({("GET", "/a"): Reply(png())}) as running:
        yield running


def test_a_picture_is_fetched_where_the_service_is_on_this_machine(host):
    assert fetch(f"{host.url}/a", loopback=True) == png()
    assert set(host.seen[0].headers) == {"Host", "User-Agent", "Accept", "Accept-Encoding"}


@pytest.mark.parametrize(
    "url",
    [
        "http://a.example/x",
        "file:///etc/passwd",
        "https://127.0.0.1/x",
        "https://localhost/x",
        "https://10.0.0.1/x",
        "https://169.254.169.254/latest/meta-data",
        "https://[::1]/x",
        "https://[::ffff:10.0.0.1]/x",
        "https://0/x",
        "https://[",
        "https:///x",
        "data:,x",
        "",
    ],
)
def test_no_other_address_is_followed(url, host, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with pytest.raises(UnavailableError):
        fetch(url, seconds=2)


def test_a_redirect_leads_no_further_than_an_address(host):
    host.replies[("GET", "/inside")] = Reply(b"", 302, {"Location": "http://10.0.0.1/x"})
    host.replies[("GET", "/round")] = Reply(b"", 302, {"Location": "/round"})
    host.replies[("GET", "/there")] = Reply(b"", 302, {"Location": "/a"})
    assert fetch(f"{host.url}/there", loopback=True) == png()
    for path in ("/inside", "/round"):
        with pytest.raises(UnavailableError):
            fetch(f"{host.url}{path}", loopback=True)


def test_a_picture_that_comes_too_slowly_or_is_cut_off_is_not_taken(host):
    host.replies[("GET", "/slow")] = Reply(chunks=[b"1"] * 50, pause=0.1)
    host.replies[("GET", "/cut")] = Reply(png(), breaks=True)
    start = time.monotonic()
    for path in ("/slow", "/cut"):
        with pytest.raises(UnavailableError):
            fetch(f"{host.url}{path}", loopback=True, seconds=0.5)
    assert time.monotonic() - start < 4
