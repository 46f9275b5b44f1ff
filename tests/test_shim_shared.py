"""What every hook carries along, beside what the recorder does itself."""

import runpy
from pathlib import Path

from makingof.capture import follower

PLAIN = runpy.run_path(str(Path(__file__).parents[1] / "shims" / "shared" / "plain.py"))


def test_hooks_and_followers_take_the_same_fields_for_credentials():
    assert PLAIN["SECRET"].pattern == follower._SECRET.pattern


def test_hooks_and_followers_leave_the_same_of_a_graph():
    graph = {
        "1": {"inputs": {"api_key": "k-1", "text": "api_key: no key but words", "n": [{"password": "p"}]}}
    }
    cleaned, removed = PLAIN["cleaned_value"](graph)
    assert cleaned == follower.without_secrets(graph)
    assert removed == ["1.inputs.api_key", "1.inputs.n.password"]
