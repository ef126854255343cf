"""Whatever is saved comes back the same, down to the last part, or is refused at saving."""

from __future__ import annotations

import io
import tempfile
from contextlib import suppress

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageSequence

from prefectx.errors import SaveError
from prefectx.stores import Filestore
from tests.formats import strategies
from tests.formats.sameness import same, same_array
from tests.formats.strategies import MANY, examples, passes_with_many_examples

STORE = Filestore(fsync=False)
LIBRARY_WARNINGS = pytest.mark.filterwarnings("ignore::Warning")


@pytest.mark.exhaustive
def test_twenty_thousand_examples():
    """All properties of this file, for longer."""
    passes_with_many_examples(__file__)


def keeps(suffix, data, equal=same):
    """Check that `data` can be saved, and comes back the same."""
    with tempfile.TemporaryDirectory() as folder:
        location = f"{folder}/a{suffix}"
        STORE.save(location, data)
        found = STORE.load(location)
        assert equal(found, data), f"{found!r} is not {data!r}"


def keeps_or_refuses(suffix, data, equal=same):
    """Check that `data`, if it can be saved, comes back the same."""
    with suppress(SaveError):
        keeps(suffix, data, equal)


TABLES = [".csv", ".tsv", ".parquet", ".feather"]


@LIBRARY_WARNINGS
@pytest.mark.parametrize("suffix", TABLES)
@examples(60)
@given(strategies.frames())
def test_frames(suffix, data):
    # Among 20,000 a few are refused: pandas itself gives them back in two ways.
    (keeps_or_refuses if MANY else keeps)(suffix, data)


@LIBRARY_WARNINGS
@pytest.mark.parametrize("suffix", TABLES)
@examples(60)
@given(strategies.frames(strategies.odd_cells))
def test_frames_of_any_cells(suffix, data):
    keeps_or_refuses(suffix, data)


@LIBRARY_WARNINGS
@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@examples(60)
@given(strategies.tables())
def test_arrow_tables(suffix, data):
    keeps_or_refuses(suffix, data)


@LIBRARY_WARNINGS
@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@examples(60)
@given(strategies.plain_tables)
def test_plain_tables_are_not_refused(suffix, data):
    keeps(suffix, data)


@LIBRARY_WARNINGS
@pytest.mark.parametrize("suffix", [".parquet", ".feather"])
@examples(60)
@given(strategies.polars_tables)
def test_polars_frames(suffix, data):
    keeps_or_refuses(suffix, data)


@examples(200)
@given(strategies.anything)
def test_json(data):
    keeps_or_refuses(".json", data, lambda found, data: same(found, with_plain_numbers(data)))


def with_plain_numbers(data):
    """The same with Python's numbers for those of NumPy, which come back as such."""
    if type(data) is dict:
        return {key: with_plain_numbers(value) for key, value in data.items()}
    if type(data) is list:
        return [with_plain_numbers(value) for value in data]
    is_number = isinstance(data, np.generic) and data.dtype.kind in "biuf"
    return data.item() if is_number else data


plain_json = st.recursive(
    st.one_of(
        *(st.none(), st.booleans(), st.integers(), strategies.text),
        st.floats(allow_nan=False, allow_infinity=False),
    ),
    lambda parts: st.lists(parts) | st.dictionaries(strategies.text, parts),
    max_leaves=20,
)


@examples(200)
@given(plain_json)
def test_plain_json_is_not_refused(data):
    keeps(".json", data)


@examples(100)
@given(strategies.plain_cells)
def test_pickle(data):
    keeps(".pkl", data)


arrays = st.one_of(hnp.scalar_dtypes(), hnp.array_dtypes()).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0))
)
views = st.sampled_from(
    [
        lambda a: a,
        np.asfortranarray,
        lambda a: a.T,
        lambda a: a[::-1] if a.ndim else a,
        lambda a: a.view(np.recarray) if a.dtype.names else a,
        lambda a: np.ma.array(a, mask=np.zeros(a.shape, bool)),
        lambda a: (
            a.astype(np.dtype(a.dtype.str, metadata={"unit": "m"})) if not a.dtype.names else a
        ),
        lambda a: a.astype(object),
    ]
)


def same_layout(found, data):
    """An array that is not in one piece may come back in one; in C's order it stays in it."""
    if data.flags.c_contiguous or data.flags.f_contiguous:
        return type(found) is type(data) and same_array(found, data)
    return same_layout(found, np.ascontiguousarray(data))


@LIBRARY_WARNINGS
@examples(100)
@given(arrays, views)
def test_arrays(array, view):
    keeps_or_refuses(".npy", view(array), same_layout)
    keeps_or_refuses(
        ".npz",
        {"a": view(array)},
        lambda f, d: list(f) == ["a"] and same_layout(f["a"], d["a"]),
    )


plain_arrays = hnp.arrays(
    hnp.scalar_dtypes() | hnp.array_dtypes(hnp.integer_dtypes() | hnp.unicode_string_dtypes()),
    hnp.array_shapes(min_dims=0, min_side=0),
)


@LIBRARY_WARNINGS
@examples(100)
@given(plain_arrays)
def test_plain_arrays_are_not_refused(data):
    keeps(".npy", data, same_layout)
    keeps(".npz", {"a": data}, lambda found, data: same_layout(found["a"], data["a"]))


@examples(100)
@given(strategies.anything)
@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".svg", ".bin", ".npy", ".npz", ".csv"])
def test_other_formats_refuse_what_is_not_theirs(suffix, data):
    keeps_or_refuses(suffix, data)


@examples(50)
@given(st.binary() | st.builds(bytearray, st.binary()) | st.builds(memoryview, st.binary()))
@pytest.mark.parametrize("suffix", [".svg", ".png", ".jpg", ".pdf", ".bin", ".txt"])
def test_bytes(suffix, data):
    keeps_or_refuses(suffix, data)


@examples(100)
@given(st.binary())
def test_bytes_are_not_refused(data):
    keeps(".bin", data)


@examples(100)
@given(strategies.text | st.text())
@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".svg"])
def test_text_is_not_refused(suffix, data):
    keeps(suffix, data)


@st.composite
def pictures(draw):
    """Give images of any mode, with palettes, metadata and several frames."""
    mode = draw(st.sampled_from(strategies.IMAGE_MODES))
    size = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    image = Image.new(mode, size)
    if mode not in ("F", "I"):
        image.frombytes(
            draw(st.binary(min_size=len(image.tobytes()), max_size=len(image.tobytes())))
        )
    if mode in ("P", "PA") and draw(st.booleans()):
        colors = draw(st.integers(0, 8))
        image.putpalette(draw(st.binary(min_size=3 * colors, max_size=3 * colors)))
    known = {
        "dpi": st.sampled_from([(72, 72), (300.0, 300.0), (71.9, 72.1)]),
        "transparency": st.sampled_from([0, 3, b"\0\1", (0, 0, 0)]),
        "gamma": st.just(0.45455),
        "icc_profile": st.binary(min_size=1, max_size=3),
        "exif": st.just(b"Exif\0\0abc"),
        "Title": strategies.text,
        "custom": st.integers(),
        "background": st.integers(0, 255),
        "loop": st.just(0),
        "duration": st.just(100),
    }
    image.info.update({k: draw(v) for k, v in known.items() if draw(st.sampled_from([1, 0, 0, 0]))})
    if draw(st.sampled_from([1, 0, 0, 0])):
        with suppress(SyntaxError):  # its info has EXIF data that are none
            image.getexif()[270] = draw(st.text(max_size=3))
    kind = draw(st.sampled_from(["made", "made", "made", "GIF", "PNG", "TIFF", "JPEG"]))
    return image if kind == "made" else _reopened(draw, image, kind)


def _reopened(draw, image, kind):
    frames = [image.copy() for _ in range(draw(st.integers(0, 2)))]
    several = {} if kind == "JPEG" else {"save_all": True, "append_images": frames}
    content = io.BytesIO()
    try:
        image.save(content, format=kind, **several)
        return Image.open(content)
    except Exception:
        # The format cannot hold it.
        return image


def without_exif(info):
    return {key: value for key, value in info.items() if key != "exif"}


def same_image(found, data):
    frames = [frame.copy() for frame in ImageSequence.Iterator(found)]
    others = [frame.copy() for frame in ImageSequence.Iterator(data)]
    found.seek(0), data.seek(0)
    return (
        len(frames) == len(others)
        and all(
            (f.mode, f.size, f.getpalette(), f.tobytes())
            == (o.mode, o.size, o.getpalette(), o.tobytes())
            for f, o in zip(frames, others, strict=True)
        )
        and dict(found.getexif()) == dict(data.getexif())
        and same(without_exif(found.info), without_exif(data.info))
    )


@examples(100)
@given(st.data(), st.sampled_from(["1", "L", "LA", "RGB", "RGBA", "I;16"]))
def test_plain_pictures_are_not_refused(data, mode):
    size = data.draw(st.tuples(st.integers(1, 9), st.integers(1, 9)))
    length = len(Image.new(mode, size).tobytes())
    content = data.draw(st.binary(min_size=length, max_size=length))
    keeps(".png", Image.frombytes(mode, size, content), same_image)


@LIBRARY_WARNINGS
@examples(100)
@given(pictures())
def test_pictures(data):
    keeps_or_refuses(".png", data, same_image)
