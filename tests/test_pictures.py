"""Pixels: sizes without decoding, thumbnails that hold nothing else, differences as exact counts."""

import io
import mmap
import struct
import subprocess
import sys
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from makingof.errors import MalformedError
from makingof.pictures import Box, Difference, compare, find_size, thumbnail

SIZED = ["PNG", "JPEG", "WEBP", "GIF", "TIFF", "AVIF"]
SAMPLES = Path(__file__).parents[2] / "shared" / "samples"
LOSSLESS = ["PNG", "TIFF", "GIF"]


def encode(image, container="PNG", **options):
    out = io.BytesIO()
    image.save(out, container, **options)
    return out.getvalue()


def decode(data):
    return Image.open(io.BytesIO(data))


def noise(width=40, height=30):
    return Image.frombytes("RGB", (width, height), bytes(range(256)) * (width * height * 3 // 256 + 1))


@pytest.fixture(scope="module")
def picture():
    image = Image.linear_gradient("L").resize((64, 48)).convert("RGB")
    ImageDraw.Draw(image).ellipse((8, 8, 30, 30), fill=(200, 30, 60))
    return image


@pytest.mark.parametrize("container", SIZED)
@pytest.mark.parametrize("size", [(1, 1), (40, 30), (301, 7)])
def test_a_size_is_read_from_the_header(container, size):
    assert find_size(encode(noise(*size), container)) == size


@pytest.mark.parametrize(
    "options",
    [{"lossless": True}, {"lossless": False}, {"lossless": True, "exif": b"Exif\0\0II*\0\x08\0\0\0\0\0"}],
)
def test_every_kind_of_webp_has_a_size(options):
    assert find_size(encode(noise(301, 7), "WEBP", **options)) == (301, 7)


def test_a_progressive_jpeg_with_a_preview_inside_has_its_own_size():
    preview = b"Exif\0\0" + encode(noise(8, 8), "JPEG")
    assert find_size(encode(noise(301, 7), "JPEG", progressive=True, exif=preview)) == (301, 7)


def test_a_photoshop_document_has_a_size():
    header = b"8BPS" + struct.pack(">H6xHIIHH", 1, 3, 70, 300, 8, 3)
    assert find_size(header) == (300, 70)


@pytest.mark.parametrize(
    "data", [b"", b"no picture", b"RIFF\0\0\0\0WAVEfmt ", b"\0\0\0\x18ftypmp42", b"%PDF-1.7"]
)
def test_what_is_no_picture_has_no_size(data):
    assert find_size(data) is None


@pytest.mark.parametrize("container", SIZED)
def test_a_header_that_breaks_off_is_malformed_or_none(container):
    data = encode(noise(), container)
    for length in range(min(len(data), 200)):
        try:
            size = find_size(data[:length])
        except MalformedError:
            continue
        assert size in (None, (40, 30))


def test_a_picture_without_pixels_is_malformed():
    data = encode(noise())
    with pytest.raises(MalformedError, match="picture of 0 by 30 pixels is none"):
        find_size(data[:16] + struct.pack(">I", 0) + data[20:])


def test_a_jpeg_without_a_frame_is_malformed_soon():
    with pytest.raises(MalformedError, match="has no frame header"):
        find_size(b"\xff\xd8" + b"\xff\xe1\0\2" * 1_000_000)
    with pytest.raises(MalformedError, match="has no marker"):
        find_size(b"\xff\xd8\xff\xe1\0\4..no")
    with pytest.raises(MalformedError, match="has no frame header"):
        find_size(b"\xff\xd8\xff" + b"\xff" * 1_000_000)


@given(
    start=st.sampled_from([encode(noise(), container)[:40] for container in SIZED]),
    rest=st.binary(max_size=300),
)
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes_have_a_size_or_none_or_are_malformed(start, rest):
    try:
        size = find_size(start[: len(rest)] + rest)
    except MalformedError:
        return
    assert size is None or (size[0] > 0 and size[1] > 0)


def test_equal_pictures_do_not_differ(picture):
    found = compare(encode(picture), encode(picture, compress_level=1))
    assert found == Difference((64, 48), (64, 48), total=64 * 48, differing=0, unequal=0, box=None)


@pytest.mark.parametrize("container", LOSSLESS)
def test_changed_pixels_are_counted_and_boxed(container, picture):
    before = picture.quantize(16).convert("RGB")
    after = before.copy()
    ImageDraw.Draw(after).rectangle((40, 5, 49, 9), fill=(255, 255, 255))
    found = compare(encode(before, container), encode(after, container))
    assert (found.differing, found.unequal, found.box) == (50, 50, Box(40, 5, 50, 10))


@pytest.mark.parametrize(("by", "counted"), [(1, 0), (8, 0), (9, 1), (200, 1)])
def test_a_channel_must_differ_by_more_than_the_threshold(by, counted, picture):
    before = Image.new("RGB", (10, 10), (20, 20, 20))
    after = before.copy()
    after.putpixel((3, 4), (20, 20 + by, 20))
    found = compare(encode(before), encode(after))
    assert (found.differing, found.unequal) == (counted, 1)
    assert found.box == (Box(3, 4, 4, 5) if counted else None)


def test_pictures_of_different_size_have_no_share(picture):
    found = compare(encode(picture), encode(picture.resize((32, 24))))
    assert not found.same_size
    assert found == Difference((64, 48), (32, 24), total=32 * 24)
    assert found.differing is found.unequal is found.box is None


def test_colour_under_full_transparency_does_not_show():
    before, after = Image.new("RGBA", (4, 4), (255, 0, 0, 0)), Image.new("RGBA", (4, 4), (0, 0, 255, 0))
    assert compare(encode(before), encode(after)).unequal == 0


def test_a_change_of_transparency_alone_is_a_difference():
    before, after = Image.new("RGBA", (4, 4), (0, 0, 0, 255)), Image.new("RGBA", (4, 4), (0, 0, 0, 128))
    assert compare(encode(before), encode(after)).differing == 16


def test_an_opaque_alpha_channel_is_no_difference(picture):
    assert compare(encode(picture), encode(picture.convert("RGBA"))).unequal == 0


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "I;16"])
def test_every_mode_compares_with_itself(mode, picture):
    if mode == "I;16":
        image = Image.new("I;16", (8, 8), 0x1234)
    else:
        image = picture.convert("RGBA").convert(mode) if mode == "PA" else picture.convert(mode)
    container = "TIFF" if mode in {"CMYK", "PA"} else "PNG"
    if mode == "PA":
        image = image.convert("RGBA")
    data = encode(image, container)
    assert compare(data, data).unequal == 0
    assert decode(thumbnail(data, longest=16)).mode == "RGB"


def test_sixteen_bits_keep_their_upper_half():
    before, after = Image.new("I;16", (4, 4), 0x1200), Image.new("I;16", (4, 4), 0x2200)
    assert compare(encode(before), encode(after)).differing == 16
    grey = decode(thumbnail(encode(before), longest=4)).getpixel((0, 0))
    assert all(abs(channel - 0x12) <= 2 for channel in grey)


def test_numbers_without_a_scale_are_not_guessed():
    with pytest.raises(MalformedError, match="has no 8-bit form"):
        thumbnail(encode(Image.new("F", (4, 4), 0.5), "TIFF"), longest=4)


def test_pictures_are_compared_and_shown_upright(picture):
    turned = picture.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned by 90 degrees clockwise
    data = encode(turned, "JPEG", quality=95, exif=exif)
    assert find_size(data) == (48, 64)
    assert compare(encode(picture), data).size_after == (64, 48)
    assert decode(thumbnail(data, longest=64)).size == (64, 48)


def test_a_thumbnail_fits_and_is_never_enlarged(picture):
    assert find_size(thumbnail(encode(picture), longest=16)) == (16, 12)
    assert find_size(thumbnail(encode(picture), longest=500)) == (64, 48)
    assert find_size(thumbnail(encode(noise(1000, 3)), longest=100)) == (100, 1)


def test_a_thumbnail_is_the_same_every_time(picture):
    for container in SIZED:
        data = encode(picture, container)
        assert thumbnail(data, longest=32) == thumbnail(data, longest=32)


def test_a_thumbnail_shows_transparency_as_white():
    assert decode(thumbnail(encode(Image.new("RGBA", (4, 4), (0, 0, 0, 0))), longest=4)).getpixel((1, 1)) == (
        255,
        255,
        255,
    )


def test_a_thumbnail_holds_nothing_but_pixels(picture):
    words = "a prompt nobody shall read"
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", words)
    text.add_itxt("prompt", words)
    exif = Image.Exif()
    exif[0x010E] = words
    icc = b"\0" * 128 + words.encode()
    samples = [
        encode(picture, "PNG", pnginfo=text, exif=exif),
        encode(picture, "JPEG", exif=exif, comment=words.encode(), icc_profile=icc, dpi=(72, 72)),
        encode(picture, "WEBP", exif=exif, icc_profile=icc, xmp=words.encode()),
        encode(picture, "GIF", comment=words.encode()),
        encode(picture, "TIFF", exif=exif),
    ]
    for data in samples:
        assert words.encode() in data
        small = thumbnail(data, longest=500)
        assert words.encode() not in small
        assert set(decode(small).info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_a_prompt_in_the_lowest_bits_does_not_come_along(picture):
    message = b"a prompt hidden in the pixels" * 8
    bits = [byte >> shift & 1 for byte in message for shift in range(7, -1, -1)]
    stealth = picture.convert("RGBA")
    pixels = stealth.load()
    for number, bit in enumerate(bits):
        at = (number // stealth.height, number % stealth.height)
        red, green, blue, _ = pixels[at]
        pixels[at] = (red & 254 | bit, green, blue, 254 | bit)
    small = decode(thumbnail(encode(stealth), longest=500))
    read = [small.getpixel((number // 48, number % 48))[0] & 1 for number in range(len(bits))]
    right = sum(one == other for one, other in zip(read, bits, strict=True))
    assert right < len(bits) * 0.7  # half is chance
    assert small.mode == "RGB"


def test_a_prompt_of_a_megabyte_does_not_hide_the_picture(picture):
    text = PngImagePlugin.PngInfo()
    text.add_text("parameters", "word " * 1_000_000, zip=True)
    data = encode(picture, pnginfo=text)
    assert find_size(thumbnail(data, longest=32)) == (32, 24)
    assert compare(data, encode(picture)).unequal == 0


def test_a_picture_with_more_pixels_than_allowed_is_refused(picture):
    for act in (
        lambda data: thumbnail(data, longest=8, max_pixels=3071),
        lambda data: compare(data, data, max_pixels=3071),
    ):
        with pytest.raises(MalformedError, match="64 by 48 pixels is over the limit of 3071"):
            act(encode(picture))
    thumbnail(encode(picture), longest=8, max_pixels=3072)


def test_a_bomb_is_refused_before_it_is_unpacked():
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 6, 0, 0, 0))
    bomb += chunk(b"IDAT", zlib.compress(b"\0" * 10_000_000)) + chunk(b"IEND", b"")
    with pytest.raises(MalformedError):
        thumbnail(bomb, longest=8)


def test_a_png_of_endless_chunks_is_refused(picture):
    data = encode(picture)
    with pytest.raises(MalformedError, match="more than 65536 chunks"):
        thumbnail(data[:33] + b"\0\0\0\0teSt\0\0\0\0" * 70_000 + data[33:], longest=8)


@pytest.mark.parametrize("container", SIZED)
def test_a_truncated_picture_is_malformed(container):
    data = encode(noise(200, 200), container)
    for share in (0.2, 0.5, 0.9):
        with pytest.raises(MalformedError):
            compare(data[: int(len(data) * share)], data)


@pytest.mark.parametrize("data", [b"", b"%!PS-Adobe-3.0 EPSF-3.0", b"not a picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_picture_cannot_be_shown(data):
    with pytest.raises(MalformedError, match="picture cannot be decoded"):
        thumbnail(data, longest=8)


@given(
    container=st.sampled_from(SIZED),
    flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=20),
)
@settings(max_examples=60, deadline=None)
def test_damaged_pictures_are_shown_or_malformed(container, flips):
    data = bytearray(encode(noise(), container))
    for at, value in flips:
        data[at % len(data)] = value
    try:
        small = thumbnail(bytes(data), longest=16, max_pixels=1 << 20)
    except MalformedError:
        return
    assert decode(small).format == "JPEG"


def test_a_map_of_a_file_is_read_and_let_go(tmp_path, picture):
    (tmp_path / "a.png").write_bytes(encode(picture))
    with (tmp_path / "a.png").open("rb") as stream:
        view = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        assert find_size(view) == (64, 48)
        assert compare(view, memoryview(encode(picture))).unequal == 0
        with pytest.raises(MalformedError):
            thumbnail(view[:100], longest=8)
        view.close()


def test_no_picture_is_decoded_to_find_its_size():
    script = (
        "import sys; from makingof.pictures import find_size;"
        "find_size(sys.stdin.buffer.read()); print('PIL' in sys.modules)"
    )
    for container in ("PNG", "JPEG", "WEBP", "GIF"):
        done = subprocess.run(
            [sys.executable, "-c", script], input=encode(noise(), container), capture_output=True, check=True
        )
        assert done.stdout.strip() == b"False"


@pytest.mark.skipif(not SAMPLES.is_dir(), reason="the shared samples are not here")
def test_sizes_of_real_pictures_agree_with_pillow():
    checked = 0
    for path in sorted(SAMPLES.rglob("*")):
        data = (
            path.read_bytes() if path.suffix.lower() in {".png", ".jpg", ".jpeg", ".webp", ".avif"} else b""
        )
        with suppress(OSError), Image.open(io.BytesIO(data)) as image:
            assert find_size(data) == image.size, path
            checked += 1
    assert checked > 50
