"""Makes the files of cases/ and what is in them, cases.json.

    python3 src/model-files/hdf5/make-cases.py        with h5py
"""

import json
import pathlib

import h5py
import numpy as np

here = pathlib.Path(__file__).parent
random = np.random.default_rng(0)
expected = {}
TYPES = ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "i1", "u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">u8", "?")


def fill(file, new):
    """Everything that is read, in the form of older files or of newer ones."""
    values = {}

    def put(group, name, array):
        group[name] = array
        values[f"{group.name}/{name}".replace("//", "/")] = [float(value) for value in np.ravel(array)]

    # Few members, more than a message holds, more than a node of an index holds.
    for count in (2, 9, 60):
        for i in range(count):
            group = file.create_group(f"groups {count}/layer_{i}")
            if i % 17 == 0:
                put(group.create_group("vars"), "0", random.standard_normal((1 + i % 3, 2)).astype("f4"))
    for dtype in TYPES:
        name = dtype.replace("<", "little ").replace(">", "big ").replace("?", "bool")
        put(file.require_group("types"), name, random.integers(0, 2, 3).astype(dtype))
    put(file["types"], "scalar", np.float32(2.5))
    put(file["types"], "empty", np.zeros((0, 4), "f4"))
    bfloat = file["types"].create_dataset("bfloat16", data=np.array([b"\x80\x3f", b"\x00\x40"], dtype="V2"))
    bfloat.attrs["dtype"] = "bfloat16"
    values["/types/bfloat16"] = [1.0, 2.0]
    texts = file.create_group("texts")
    for i in range(30):
        texts.attrs[f"text {i}"] = f"välue {i}"
    texts.attrs["fixed"] = np.array([b"a", b"bcd", b""], dtype="S3")
    texts.attrs["none"] = np.zeros(0)
    texts.attrs["list"] = np.array([f"{'x' * i}" for i in range(60)], dtype=h5py.string_dtype())
    texts.attrs["long"] = "z" * 70000
    texts.attrs["number"] = 7
    if new:
        texts.attrs["large"] = b"y" * 3000
    file["soft"] = h5py.SoftLink("/types")
    return values


def write(name, make, **options):
    with h5py.File(here / "cases" / name, "w", **options) as file:
        expected[name] = make(file)


write("older.h5", lambda file: fill(file, False), libver=("earliest", "v108"))
write("newer.h5", lambda file: fill(file, True), libver="latest")


def small(file):
    file["x"] = np.arange(4, dtype="f4")
    file["g/y"] = np.arange(4, dtype="f4")
    return {"/x": [0, 1, 2, 3], "/g/y": [0, 1, 2, 3]}


write("behind-a-block.h5", small, userblock_size=1024)
write("in-order.h5", small, track_order=True)


def refused(file):
    file.create_dataset("pieces", data=np.zeros(100, "f4"), chunks=(10,))
    file.create_dataset("packed", data=np.zeros(100, "f4"), compression="gzip")
    file.create_dataset("never", (1000000000,), "f4")
    file.create_dataset("text", data="hello")
    file.create_dataset("complex", data=np.zeros(2, "c8"))
    return {}


def loop(file):
    file.create_group("a")["again"] = file["/"]
    return {}


write("refused.h5", refused)
write("loop.h5", loop)
(here / "cases.json").write_text(json.dumps({"script": "make-cases.py", "h5py": h5py.__version__, "files": expected}) + "\n")
