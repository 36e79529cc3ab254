"""The coefficients of simd.as.ts for |r| <= ln 2 / 2, by least squares that are reweighted until the largest relative error is as
small as it gets (Lawson): e^r = 1 + r + r^2 p(r) with p of degree 4, and e^-r = 1 + r q(r) with q of degree 5."""
import numpy as np

limit = np.log(2) / 2 * 1.0005
r = np.cos(np.linspace(0, np.pi, 4001)) * limit
r = r[np.abs(r) > 1e-3]


def fit(exact, first, wanted):
    """wanted(r) as r^first times a polynomial up to r^6, relative to exact(r)."""
    matrix = np.stack([r**k for k in range(first, 7)], 1) / exact(r)[:, None]
    target = wanted / exact(r)
    weights = np.ones_like(r)
    for _ in range(300):
        root = np.sqrt(weights)
        coefficients = np.linalg.lstsq(matrix * root[:, None], target * root, rcond=None)[0]
        error = np.abs(matrix @ coefficients - target)
        weights = weights * error
        weights /= weights.sum()
    print([float(np.float32(c)) for c in coefficients], "largest relative error", error.max())


fit(np.exp, 2, np.exp(r) - 1 - r)
fit(lambda x: np.exp(-x), 1, np.exp(-r) - 1)
