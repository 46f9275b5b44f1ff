import json
import runpy
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makingof.digest import Digest
from makingof.errors import MalformedError
from makingof.observation import Attached, parse_observation, resolve_attached

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "vectors/observation/vectors.json").read_text("utf-8"))


def named(group):
    return pytest.mark.parametrize("text", VECTORS[group].values(), ids=list(VECTORS[group]))


def test_the_vectors_are_what_their_script_writes():
    assert runpy.run_path(str(HERE / "vectors/observation/make.py"))["vectors"]() == VECTORS


@named("accepted")
def test_an_observation_is_accepted_with_its_files_beside_it(text):
    observation = parse_observation(text.encode(), Path("/spool"))
    files = [item.content for item in observation.attachments if not isinstance(item.content, Digest)]
    assert all(path.parent == Path("/spool") for path in files)


@named("refused")
def test_an_observation_that_breaks_a_rule_is_refused(text):
    with pytest.raises(MalformedError):
        parse_observation(text.encode(), Path("/spool"))


@given(st.binary(max_size=80))
def test_arbitrary_bytes_parse_or_are_refused(data):
    with pytest.raises(MalformedError):
        parse_observation(data, Path("/spool"))


def test_the_example_of_the_spec_parses():
    spec = (HERE.parent / "docs/spec/observation.md").read_text("utf-8")
    example = spec.split("```json\n")[1].split("```")[0]
    observation = parse_observation(example.encode(), Path("/spool"))
    assert observation.drafts[1].body["file"] == Attached(0)


def test_attached_files_become_their_file_parts_wherever_they_stand():
    first, second = Digest.of(b"1"), Digest.of(b"2")
    body = {"judged": [Attached(1)], "text": "attached:0", "deep": {"file": Attached(0)}}
    assert resolve_attached(body, [first, second]) == {
        "judged": [second],
        "text": "attached:0",
        "deep": {"file": first},
    }


def test_a_file_nobody_attached_is_refused():
    with pytest.raises(MalformedError):
        resolve_attached({"file": Attached(1)}, [Digest.of(b"1")])
