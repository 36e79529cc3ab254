"""The coefficients of normalTail4 in normal.as.ts: Phi(-x) exp(x^2 / 2) = t (a1 + a2 t + …), t = 1 / (1 + 0.35 x),
for x in [0, 14.5], by least squares on the relative error, reweighted until it is even (Lawson). Prints them with the
largest relative error: exact, and evaluated in float32. Run: python3 fit-normal-tail.py"""

import numpy as np
import torch

C, DEGREE, FAR, POINTS = 0.35, 9, 14.5, 4000


def exact(x):
    return torch.special.erfcx(torch.tensor(x / np.sqrt(2))).numpy() / 2


low = 1 / (1 + C * FAR)
t = (low + 1) / 2 + (1 - low) / 2 * np.cos(np.pi * (np.arange(POINTS) + 0.5) / POINTS)
basis = np.stack([t**k for k in range(1, DEGREE + 1)], 1) / exact((1 / t - 1) / C)[:, None]
weight = np.ones(POINTS)
for _ in range(60):
    root = np.sqrt(weight)
    a = np.linalg.lstsq(basis * root[:, None], root, rcond=None)[0]
    error = np.abs(basis @ a - 1)
    weight = weight * (error / error.max() + 1e-3)
    weight /= weight.mean()
single = t.astype(np.float32)
p = np.zeros_like(single)
for coefficient in a[::-1].astype(np.float32):
    p = (p * single + coefficient).astype(np.float32)
p = (p * single).astype(np.float64)
print([float(f"{v:.9g}") for v in a])
print(error.max(), np.abs(p / exact((1 / single.astype(np.float64) - 1) / C) - 1).max())
