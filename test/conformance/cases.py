"""Writes the vectors that every backend is held to: what PyTorch computes, in float64, from inputs
that float32 holds exactly. A script beside an op's cases.json is mostly a list of calls:

    import os, sys
    sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../test/conformance"))
    from cases import Cases, tensor

    c = Cases(__file__)
    c.add("linear", "no bias", lambda i: F.linear(i["x"], i["weight"]),
          {"x": tensor([3, 5], 1), "weight": tensor([7, 5], 2)})
    c.write()

The same script writes the same bytes every time: all numbers come from seeds.
"""

import json
import math
import os
import zlib

import torch


def tensor(shape, seed, low=-1.0, high=1.0):
    """Uniform numbers in [low, high) that float32 holds exactly, as float64."""
    unit = torch.rand(shape, generator=_generator(seed), dtype=torch.float64)
    return (low + (high - low) * unit).float().double()


def normal(shape, seed, mean=0.0, std=1.0):
    """Normal numbers that float32 holds exactly, as float64."""
    unit = torch.randn(shape, generator=_generator(seed), dtype=torch.float64)
    return (mean + std * unit).float().double()


def integers(shape, seed, low, high, dtype=torch.int32):
    """Whole numbers in [low, high): labels as torch.int32, images as torch.uint8."""
    return torch.randint(low, high, shape, generator=_generator(seed)).to(dtype)


def distinct(shape, seed, gap=0.01):
    """Numbers around zero, every two at least `gap` apart, in random order: for max and for sorting,
    where a tie or a near tie has no gradient."""
    count = math.prod(shape)
    order = torch.randperm(count, generator=_generator(seed)).double()
    return ((order - (count - 1) / 2) * gap).float().double().reshape(shape)


def away_from_zero(t, gap=0.01):
    """`t` with every value pushed `gap` away from zero: for functions with a kink there."""
    return (t + gap * torch.where(t < 0, -1.0, 1.0).double()).float().double()


class Cases:
    """The cases of one op folder, written to cases.json beside the script."""

    def __init__(self, script):
        self._script = os.path.abspath(script)
        self._cases = []

    def add(self, op, name, fn, inputs, attrs=None, grads=None, tolerance=None, skip_gradcheck=False, gradcheck_eps=None):
        """Computes one case and remembers it.

        op, name       the runner in conformance.ts, and what the case shows; together unique
        fn             fn(inputs, **attrs) -> y, or (y, state) where state is a dict of buffers as they are
                       after the call. Gets float64 leaves (int32 arrives as int64, as torch wants labels) that
                       are its own: it may change them in place where they are not in `grads`.
        inputs         dict of name to tensor: float64 (float32-representable), int32 or uint8
        attrs          dict of JSON values, under the names that the runner in conformance.ts reads
        grads          names of the inputs that want a gradient; None: every floating one; []: none
        tolerance      {"y" | an input's name | a buffer's name: relative tolerance on wasm, "because": why float32
                       cannot do better}. Only where the mathematics says so; the reference stays at 1e-9.
        skip_gradcheck for functions that are not smooth at the inputs
        gradcheck_eps  the step of the finite differences, where the default (3e-5) is too long
        """
        attrs = attrs or {}
        if any(case["op"] == op and case["name"] == name for case in self._cases):
            raise ValueError(f"{op}: two cases are named {name!r}")
        if tolerance and not tolerance.get("because"):
            raise ValueError(f"{op}, {name}: a tolerance needs a 'because'")
        for key, value in inputs.items():
            if value.dtype == torch.float64 and not _fits_float32(value):
                raise ValueError(f"{op}, {name}: float32 does not hold {key} exactly; make it with tensor(), or .float().double()")
        if grads is None:
            grads = [key for key, value in inputs.items() if value.is_floating_point()]
        leaves = {key: _leaf(value, key in grads) for key, value in inputs.items()}
        result = fn(leaves, **attrs)
        y, state = result if isinstance(result, tuple) else (result, None)
        case = {"op": op, "name": name, "attrs": attrs, "inputs": {k: _encode(v) for k, v in inputs.items()}}
        case["outputs"] = {"y": _encode(y)}
        if grads:
            case.update(self._gradients(op, name, y, leaves, grads))
        if state:
            case["state"] = {key: _encode(value) for key, value in state.items()}
        if tolerance:
            case["tolerance"] = tolerance
        if skip_gradcheck:
            case["skipGradcheck"] = True
        if gradcheck_eps:
            case["gradcheckEps"] = gradcheck_eps
        self._cases.append(case)

    def _gradients(self, op, name, y, leaves, grads):
        # A fixed random cotangent: sums of outputs hide what they are blind to.
        dy = normal(list(y.shape), zlib.crc32(f"{op}/{name}".encode()))
        if y.numel() == 0 or not y.requires_grad:
            found = [torch.zeros_like(leaves[key]) for key in grads]
        else:
            found = torch.autograd.grad(y, [leaves[key] for key in grads], dy, allow_unused=True)
        missing = [key for key, grad in zip(grads, found) if grad is None]
        if missing:
            raise ValueError(f"{op}, {name}: y does not depend on {missing}; leave them out of grads")
        return {"dy": _encode(dy), "grads": {key: _encode(grad) for key, grad in zip(grads, found)}}

    def write(self):
        """Writes cases.json, one case a line."""
        path = os.path.join(os.path.dirname(self._script), "cases.json")
        head = {"script": os.path.basename(self._script), "torch": torch.__version__}
        lines = ",\n".join(json.dumps(case, separators=(",", ":"), allow_nan=False) for case in self._cases)
        temporary = f"{path}.{os.getpid()}"
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(json.dumps(head)[:-1] + ', "cases": [\n' + lines + "\n]}\n")
        os.replace(temporary, path)
        print(f"{path}: {len(self._cases)} cases, {os.path.getsize(path)} bytes")


def _generator(seed):
    return torch.Generator().manual_seed(seed)


def _fits_float32(t):
    return bool(((t.float().double() == t) | t.isnan()).all())


def _leaf(t, wants_grad):
    made = t.detach().clone()
    if made.dtype == torch.int32:
        made = made.long()
    return made.requires_grad_() if wants_grad else made


def _encode(t):
    encoded = {"shape": list(t.shape), "data": [_number(v) for v in t.detach().reshape(-1).tolist()]}
    if not t.is_floating_point():
        encoded["dtype"] = "uint8" if t.dtype in (torch.uint8, torch.bool) else "int32"
    return encoded


def _number(value):
    """JSON has no NaN and no infinity: they are strings."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int):
        return value
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value == int(value) and math.copysign(1, value) > 0 and abs(value) < 2**53 else value
