"""Documents as JSON values."""

import pytest
from tests.documents import krita, psd
from tests.documents.drawing import DRAWING
from tests.test_documents_hostile import GOOD

from makingof import canonical
from makingof.metadata.documents.describe import describe_change, describe_document
from makingof.metadata.documents.difference import compare_documents
from makingof.metadata.documents.read import read_document


@pytest.mark.parametrize("name", GOOD)
def test_every_document_can_stand_in_canonical_json(name):
    said = describe_document(read_document(GOOD[name]))
    assert canonical.from_bytes(canonical.to_bytes(said)) == said
    assert [layer["name"] for layer in said["layers"]] == ["a 名", "g"]
    assert said["layers"][1]["layers"][0]["visible"] is False


def test_what_was_applied_and_where_it_lies_is_said():
    said = describe_document(read_document(krita.write_kra_with_ai()))
    first = said["jobs"][0]
    assert [result["applied"] for result in first["results"]] == [False, True, False]
    assert first["results"][1]["picture"]["stored"].endswith("ai_diffusion/result0.webp")
    assert said["jobs"][2]["results"][0]["applied"] is None


def test_history_and_what_is_absent():
    said = describe_document(read_document(psd.write_psd()))
    assert [step["action"] for step in said["history"]["steps"]] == ["created", "saved"]
    assert "mark" not in said["layers"][0]
    assert describe_document(read_document(krita.write_kra()))["history"] is None


def test_changes_are_said_without_what_is_not_there():
    changes = compare_documents(read_document(psd.write_psd()), read_document(psd.write_psd(DRAWING[1:])))
    assert [describe_change(change) for change in changes] == [
        {"change": "removed", "path": "题字", "id": "11"}
    ]
