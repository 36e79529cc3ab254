"""Every stage of explainBatchNorm, by PyTorch in float64: the forward formulas, and autograd's gradient
by each of them. Writes explain-cases.json. Run with a Python that has PyTorch."""

import json
import pathlib

import torch

PER_CHANNEL = {"mu", "var", "sqrtvar", "ivar"}


def stages(x, gamma, beta, eps):
    """The nine steps. x is used three times and xmu twice; each use is a tensor of its own, so that
    autograd can tell the two halves of a gradient (dx1 and dx2, dxmu1 and dxmu2) apart."""
    axes = [a for a in range(x.ndim) if a != 1]
    shape = [1, -1] + [1] * (x.ndim - 2)
    channel = lambda v: v.reshape(shape)
    use = {}
    use["x_direct"], use["x_mean"] = x.clone(), x.clone()
    s = {}
    s["mu"] = use["x_mean"].mean(axes)
    s["xmu"] = use["x_direct"] - channel(s["mu"])
    use["xmu_numerator"], use["xmu_squared"] = s["xmu"].clone(), s["xmu"].clone()
    s["sq"] = use["xmu_squared"] ** 2
    s["var"] = s["sq"].mean(axes)
    s["sqrtvar"] = torch.sqrt(s["var"] + eps)
    s["ivar"] = 1 / s["sqrtvar"]
    s["xhat"] = use["xmu_numerator"] * channel(s["ivar"])
    s["gammax"] = channel(gamma) * s["xhat"]
    s["out"] = s["gammax"] + channel(beta)
    return s, use


def case(name, shape, eps, seed, offset=0.0):
    g = torch.Generator().manual_seed(seed)
    draw = lambda *size, add=0.0: (torch.randn(*size, generator=g) + add).double()  # float32 numbers
    x = draw(*shape, add=offset).requires_grad_()
    gamma = draw(shape[1], add=1.0).requires_grad_()
    beta = draw(shape[1]).requires_grad_()
    dy = draw(*shape)
    s, use = stages(x, gamma, beta, eps)
    wanted = {
        "dbeta": beta, "dgammax": s["gammax"], "dgamma": gamma, "dxhat": s["xhat"], "divar": s["ivar"],
        "dxmu1": use["xmu_numerator"], "dsqrtvar": s["sqrtvar"], "dvar": s["var"], "dsq": s["sq"],
        "dxmu2": use["xmu_squared"], "dx1": use["x_direct"], "dmu": s["mu"], "dx2": use["x_mean"], "dx": x,
    }
    grads = torch.autograd.grad(s["out"], list(wanted.values()), dy)
    built_in = torch.nn.functional.batch_norm(x, None, None, gamma, beta, True, 0.1, eps)
    assert torch.allclose(built_in, s["out"], rtol=1e-9, atol=1e-9), name
    return {
        "name": name,
        "eps": eps,
        "inputs": {k: pack(v) for k, v in {"x": x, "gamma": gamma, "beta": beta, "dy": dy}.items()},
        "stages": {k: pack(v) for k, v in {**s, **dict(zip(wanted, grads))}.items()},
    }


def pack(t):
    return {"shape": list(t.shape), "data": t.detach().flatten().tolist()}


cases = [
    case("[10, 5]", (10, 5), 1e-5, 0),
    case("[2, 3], large eps", (2, 3), 0.1, 1),
    case("[3, 2, 7]", (3, 2, 7), 1e-5, 2),
    case("[3, 2, 3, 5], far from zero", (3, 2, 3, 5), 1e-3, 3, offset=100.0),
    case("[1, 3, 2, 2], one sample", (1, 3, 2, 2), 1e-5, 4),
]
target = pathlib.Path(__file__).with_name("explain-cases.json")
out = {"script": "make-explain-cases.py", "torch": torch.__version__, "cases": cases}
target.write_text(json.dumps(out, separators=(",", ":")) + "\n")
print(f"{target.name}: {len(cases)} cases, {target.stat().st_size} bytes")
