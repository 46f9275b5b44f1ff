import json

import pytest
from tests import records
from tests import records_elsewhere as elsewhere

from makingof.metadata.registry import read_records
from makingof.metadata.secrets import find_secrets, is_secret_name, mask

OPENAI = "sk-proj-" + "aB3dEfGh1jKlMn0pQrStUv" * 2


def found_in(data):
    return find_secrets(read_records(data))


@pytest.mark.parametrize(
    ("secret", "kind"),
    [
        (OPENAI, "OpenAI"),
        ("AIza" + "B" * 35, "Google"),
        ("hf_" + "c" * 34, "Hugging Face"),
        ("r8_" + "d" * 37, "Replicate"),
        ("comfyui-" + "0f" * 32, "ComfyUI account"),
        ("AKIA" + "ABCDEFGHIJKLMNOP", "AWS"),
        ("ghp_" + "e" * 36, "GitHub"),
        ("0a1b2c3d-0000-1111-2222-333344445555:" + "0f" * 16, "fal"),
        ("-----BEGIN EC PRIVATE KEY-----", "private key"),
    ],
)
def test_keys_of_known_shape_are_found_in_a_graph_and_not_given_away(secret, kind):
    graph = records.text_to_image("a ring") | {"30": records.node("SomeApi", api=secret, prompt="x")}
    found = [item for item in found_in(records.comfyui_png(graph)) if item.kind == kind]
    assert found
    for item in found:
        assert secret not in item.excerpt
        assert secret not in item.message.in_language("zh")
        assert item.where.startswith("png:tEXt:")


def test_values_under_telling_names_are_found_also_in_json_inside_json():
    inner = json.dumps({"api_key": "hunter2hunter2"})
    kinds = {
        item.kind
        for item in found_in(records.png({"workflow": json.dumps({"nodes": [], "links": [], "x": inner})}))
    }
    assert kinds == {"api_key"}
    comfy = records.png({"extra": '{"api_key_comfy_org": "0123456789abcdef"}'})
    assert [item.kind for item in found_in(comfy)] == ["api_key"]
    assert found_in(records.png({"workflow": '{"token_normalization": "none", "cfg": 7}'})) == []


def test_signed_links_logins_and_home_folders_are_found():
    text = (
        "https://store.example/a.png?X-Amz-Signature=0123456789abcdef&x=1 https://ada:secret1@host.example/a "
        r"C:\\Users\\ada\\models\\x.safetensors /home/grace/out /Users/linus/out /Users/Shared/x"
    )
    found = found_in(records.png({"parameters": text}))
    assert sorted(item.kind for item in found) == ["home folder"] * 3 + ["login", "signed link"]
    said = " ".join(item.excerpt for item in found)
    for word in ("0123456789abcdef", "secret1", "ada", "grace", "linus", "Shared"):
        assert word not in said


def test_secrets_in_two_byte_letters_and_compressed_chunks_are_found():
    wide = elsewhere.jpeg(elsewhere.exif_segment(elsewhere.comment_exif(f'{{"api_key": "{OPENAI}"}}', "le")))
    assert {item.kind for item in found_in(wide)} >= {"OpenAI"}
    import zlib  # noqa: PLC0415

    packed = records.png(before=[records.chunk(b"zTXt", b"notes\0\0" + zlib.compress(OPENAI.encode()))])
    assert [item.kind for item in found_in(packed)] == ["OpenAI"]


def test_each_secret_is_named_once_and_never_without_end():
    text = " ".join(f"hf_{number:034d}" for number in range(1000))
    assert len(found_in(records.png({"notes": text}))) <= 200
    assert len(found_in(records.png({"notes": f"{OPENAI} {OPENAI}"}))) == 1


@pytest.mark.parametrize("value", ["a", "abcd", "abcdefgh", "x" * 100])
def test_a_mask_shows_at_most_a_quarter(value):
    assert len(mask(value)) - 1 <= len(value) / 4


def test_names_of_credentials_are_recognised():
    told = [
        "api_key",
        "api_key_comfy_org",
        "auth_token_comfy_org",
        "Authorization",
        "X-Api-Key",
        "client-secret",
        "PASSWORD",
    ]
    assert all(map(is_secret_name, told))
    assert not any(
        map(is_secret_name, ["token_normalization", "tokens", "keyframe", "seed", "author", "key"])
    )
