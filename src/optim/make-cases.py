"""Trajectories of optimizers and schedules as PyTorch computes them, in float64: python3 make-cases.py
writes cases.json.

Each optimizer case starts from the same parameters and is given the same gradients, so that only the
update is compared; the parameters after every step are kept.
"""

import itertools
import json
import os

import torch

STEPS = 10
SHAPES = [[3, 5], [7], [1]]


def numbers(shape, seed):
    """Uniform in [-1, 1), as float32 holds them."""
    generator = torch.Generator().manual_seed(seed)
    return (2 * torch.rand(shape, generator=generator, dtype=torch.float64) - 1).float().double()


start = [numbers(shape, i) for i, shape in enumerate(SHAPES)]
# The last parameter gets no gradient in every third step: it is skipped then.
gradients = [
    [None if i == 2 and step % 3 == 1 else numbers(shape, 100 + 10 * step + i) for i, shape in enumerate(SHAPES)]
    for step in range(STEPS)
]


def trajectory(make):
    params = [p.clone().requires_grad_() for p in start]
    optimizer = make(params)
    result = []
    for grads in gradients:
        for p, g in zip(params, grads):
            p.grad = None if g is None else g.clone()
        optimizer.step()
        result.append([p.detach().reshape(-1).tolist() for p in params])
    return result


def sgd_cases():
    for momentum, dampening, nesterov, decay in itertools.product([0, 0.9], [0, 0.3], [False, True], [0, 0.05]):
        if nesterov and (momentum == 0 or dampening != 0):
            continue
        options = {"lr": 0.1, "momentum": momentum, "dampening": dampening, "nesterov": nesterov, "weightDecay": decay}
        make = lambda p: torch.optim.SGD(
            p, lr=0.1, momentum=momentum, dampening=dampening, nesterov=nesterov, weight_decay=decay
        )
        yield {"optimizer": "SGD", "options": options, "after": trajectory(make)}


def adam_cases():
    for name, kind in [("Adam", torch.optim.Adam), ("AdamW", torch.optim.AdamW)]:
        yield {"optimizer": name, "options": {}, "after": trajectory(lambda p: kind(p))}
        settings = itertools.product([(0.9, 0.999), (0.5, 0.8), (0, 0)], [1e-8, 1e-2], [0, 0.1], [False, True])
        for betas, eps, decay, amsgrad in settings:
            options = {"lr": 0.05, "betas": list(betas), "eps": eps, "weightDecay": decay, "amsgrad": amsgrad}
            make = lambda p: kind(p, lr=0.05, betas=betas, eps=eps, weight_decay=decay, amsgrad=amsgrad)
            yield {"optimizer": name, "options": options, "after": trajectory(make)}


def group_cases():
    """Options by group: `groups` are the numbers of the parameters in each, and its own options."""
    sgd = lambda p: torch.optim.SGD(
        [{"params": p[:1]}, {"params": p[1:], "lr": 0.5, "momentum": 0, "weight_decay": 0}],
        lr=0.1, momentum=0.9, weight_decay=0.05,
    )
    groups = [{"params": [0]}, {"params": [1, 2], "lr": 0.5, "momentum": 0, "weightDecay": 0}]
    options = {"lr": 0.1, "momentum": 0.9, "weightDecay": 0.05}
    yield {"optimizer": "SGD", "options": options, "groups": groups, "after": trajectory(sgd)}
    adamw = lambda p: torch.optim.AdamW(
        [{"params": p[:2], "betas": (0.8, 0.9)}, {"params": p[2:], "weight_decay": 0, "amsgrad": True}], lr=0.02
    )
    groups = [{"params": [0, 1], "betas": [0.8, 0.9]}, {"params": [2], "weightDecay": 0, "amsgrad": True}]
    yield {"optimizer": "AdamW", "options": {"lr": 0.02}, "groups": groups, "after": trajectory(adamw)}


def rates(make, steps, betas=False):
    """Learning rates of two groups (and momentum, or beta1) at steps 0, 1, …, steps - 1."""
    one, two = torch.zeros(1, requires_grad=True), torch.zeros(1, requires_grad=True)
    groups = [{"params": [one]}, {"params": [two], "lr": 0.02}]
    kind = torch.optim.Adam(groups, lr=0.5) if betas else torch.optim.SGD(groups, lr=0.5, momentum=0.9)
    schedule = make(kind)
    result = []
    for _ in range(steps):
        kept = kind.param_groups
        momentum = kept[0]["betas"][0] if betas else kept[0]["momentum"]
        result.append([kept[0]["lr"], kept[1]["lr"], momentum])
        kind.step()
        schedule.step()
    return result


def schedule_cases():
    s = torch.optim.lr_scheduler

    def case(name, options, make, steps, betas=False):
        return {"schedule": name, "options": options, "betas": betas, "rates": rates(make, steps, betas)}

    yield case("stepLR", {"stepSize": 3}, lambda o: s.StepLR(o, 3), 12)
    yield case("stepLR", {"stepSize": 4, "gamma": 0.5}, lambda o: s.StepLR(o, 4, 0.5), 12)
    yield case("multiStepLR", {"milestones": [2, 5, 6]}, lambda o: s.MultiStepLR(o, [2, 5, 6]), 10)
    yield case("multiStepLR", {"milestones": [4], "gamma": 0.3}, lambda o: s.MultiStepLR(o, [4], 0.3), 10)
    yield case("cosineAnnealingLR", {"tMax": 8}, lambda o: s.CosineAnnealingLR(o, 8), 9)
    yield case("cosineAnnealingLR", {"tMax": 5, "etaMin": 0.01}, lambda o: s.CosineAnnealingLR(o, 5, 0.01), 14)
    yield case("linearWarmup", {"steps": 5}, lambda o: s.LinearLR(o), 8)
    yield case("linearWarmup", {"steps": 4, "startFactor": 0.1}, lambda o: s.LinearLR(o, 0.1, 1, 4), 8)

    def warm_up_then_cosine(o):
        return s.SequentialLR(o, [s.LinearLR(o, 0.1, 1, 4), s.CosineAnnealingLR(o, 8)], milestones=[4])

    following = {"schedule": "cosineAnnealingLR", "options": {"tMax": 8}}
    yield case("linearWarmup", {"steps": 4, "startFactor": 0.1, "next": following}, warm_up_then_cosine, 12)
    cycles = [
        {"maxLr": 1, "totalSteps": 20},
        {"maxLr": [1, 0.1], "totalSteps": 17, "pctStart": 0.25},
        {"maxLr": 0.3, "totalSteps": 15, "annealStrategy": "linear", "divFactor": 10, "finalDivFactor": 100},
        {"maxLr": 0.3, "totalSteps": 20, "threePhase": True},
        {"maxLr": 0.3, "totalSteps": 20, "threePhase": True, "annealStrategy": "linear", "baseMomentum": 0.7, "maxMomentum": 0.9},
        {"maxLr": 0.3, "totalSteps": 12, "cycleMomentum": False},
    ]
    names = {
        "maxLr": "max_lr", "totalSteps": "total_steps", "pctStart": "pct_start", "annealStrategy": "anneal_strategy",
        "divFactor": "div_factor", "finalDivFactor": "final_div_factor", "threePhase": "three_phase",
        "baseMomentum": "base_momentum", "maxMomentum": "max_momentum", "cycleMomentum": "cycle_momentum",
    }
    for options in cycles:
        for betas in [False, True]:
            make = lambda o: s.OneCycleLR(o, **{names[key]: value for key, value in options.items()})
            yield case("oneCycleLR", options, make, options["totalSteps"], betas)


def clip_case():
    params = [torch.zeros(shape, dtype=torch.float64, requires_grad=True) for shape in SHAPES]
    for p, g in zip(params, gradients[0]):
        p.grad = g.clone()
    norm = torch.nn.utils.clip_grad_norm_(params, 0.7)
    return {"maxNorm": 0.7, "norm": norm.item(), "gradients": [p.grad.reshape(-1).tolist() for p in params]}


def encode(t):
    return None if t is None else t.reshape(-1).tolist()


result = {
    "script": os.path.basename(__file__),
    "torch": torch.__version__,
    "shapes": SHAPES,
    "start": [encode(p) for p in start],
    "gradients": [[encode(g) for g in grads] for grads in gradients],
    "clip": clip_case(),
    "optimizers": [*sgd_cases(), *adam_cases(), *group_cases()],
    "schedules": list(schedule_cases()),
}
path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json")
with open(path, "w", encoding="utf-8", newline="\n") as file:
    head = {key: value for key, value in result.items() if key not in ("optimizers", "schedules")}
    file.write(json.dumps(head, separators=(",", ":"))[:-1])
    for key in ("optimizers", "schedules"):
        lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in result[key])
        file.write(f',\n"{key}": [\n{lines}\n]')
    file.write("}\n")
print(f"{path}: {len(result['optimizers'])} optimizers, {len(result['schedules'])} schedules, {os.path.getsize(path)} bytes")
