"""LeNet with batch normalization as PyTorch users write it, and state dicts as safetensors files.

Where the safetensors package is installed it reads and writes the files. Debian's PyTorch comes without it; then this
does, which takes a length, a JSON header and the bytes (https://huggingface.co/docs/safetensors).
"""

import json
import struct

import torch
from torch import nn

try:
    import safetensors.torch as package
except ImportError:
    package = None

DTYPES = {"F32": torch.float32, "F64": torch.float64, "F16": torch.float16, "BF16": torch.bfloat16, "I64": torch.int64}
NAMES = {dtype: name for name, dtype in DTYPES.items()}


def network():
    return nn.Sequential(
        nn.Conv2d(1, 6, 5), nn.BatchNorm2d(6), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Conv2d(6, 16, 5), nn.BatchNorm2d(16), nn.Sigmoid(), nn.AvgPool2d(2),
        nn.Flatten(), nn.Linear(256, 120), nn.BatchNorm1d(120), nn.Sigmoid(),
        nn.Linear(120, 84), nn.BatchNorm1d(84), nn.Sigmoid(), nn.Linear(84, 10),
    )


def images(count):
    """Stripes, at another slope in each image, in 64ths: every language computes the same numbers."""
    b, row, column = torch.meshgrid(torch.arange(count), torch.arange(28), torch.arange(28), indexing="ij")
    return ((row * (3 * b + 1) + column * (5 * b + 2)) % 64).to(torch.float32).div(64).reshape(count, 1, 28, 28)


def save(state, file):
    if package is not None:
        package.save_file({name: tensor.contiguous() for name, tensor in state.items()}, file)
        return
    header, data = {}, b""
    # 64-bit tensors first, so that all are aligned.
    for name, tensor in sorted(state.items(), key=lambda item: -item[1].element_size()):
        raw = tensor.contiguous().view(-1).view(torch.uint8) if tensor.dim() else tensor.view(1).view(torch.uint8)
        raw = bytes(raw.tolist())
        offsets = [len(data), len(data) + len(raw)]
        header[name] = {"dtype": NAMES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": offsets}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text + data)


def load(file):
    if package is not None:
        return package.load_file(file)
    with open(file, "rb") as source:
        everything = source.read()
    (length,) = struct.unpack("<Q", everything[:8])
    header = json.loads(everything[8 : 8 + length])
    state = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        values = torch.frombuffer(bytearray(everything[begin:end]), dtype=DTYPES[entry["dtype"]])
        state[name] = values.reshape(entry["shape"])
    return state
