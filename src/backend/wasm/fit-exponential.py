"""The coefficients of simd.as.ts: e^r = 1 + r + r^2 p(r) for |r| <= ln 2 / 2, p of degree 4, by least squares that
are reweighted until the largest relative error is as small as it gets (Lawson)."""
import numpy as np

limit = np.log(2) / 2 * 1.0005
r = np.cos(np.linspace(0, np.pi, 4001)) * limit
r = r[np.abs(r) > 1e-3]
matrix = np.vander(r, 5, increasing=True) * (r**2 / np.exp(r))[:, None]
wanted = (np.exp(r) - 1 - r) / np.exp(r)
weights = np.ones_like(r)
for _ in range(200):
    root = np.sqrt(weights)
    coefficients = np.linalg.lstsq(matrix * root[:, None], wanted * root, rcond=None)[0]
    error = np.abs(matrix @ coefficients - wanted)
    weights = weights * error
    weights /= weights.sum()
print([float(np.float32(c)) for c in coefficients], "largest relative error", error.max())
