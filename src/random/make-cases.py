"""Golden numbers for the generator, from Philox written anew with Python's integers and from the
standard library's inverse normal distribution (also AS 241). Run: python3 make-cases.py"""

import json
import os
from statistics import NormalDist

M = 2**32 - 1


def philox(counter, key):
    c, k = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [(p1 >> 32) ^ c[1] ^ k[0], p1 & M, (p0 >> 32) ^ c[3] ^ k[1], p0 & M]
        k = [(k[0] + 0x9E3779B9) & M, (k[1] + 0xBB67AE85) & M]
    return c


def words(seed, n, stream=(0, 0)):
    out = []
    for block in range((n + 3) // 4):
        out += philox((block & M, block >> 32, *stream), (seed & M, seed >> 32))
    return out[:n]


def uniform(seed, n):
    w = words(seed, 2 * n)
    return [((w[2 * i] >> 5) * 2**26 + (w[2 * i + 1] >> 6)) / 2**53 for i in range(n)]


def normal(seed, n):
    w = words(seed, 2 * n)
    return [NormalDist().inv_cdf(((w[2 * i] >> 6) * 2**26 + (w[2 * i + 1] >> 6) + 0.5) / 2**52) for i in range(n)]


def ints(seed, n, count):
    limit = 2**32 - 2**32 % n
    return [x % n for x in words(seed, 4 * count) if x < limit][:count]


seeds = [0, 42, 2**40 + 12345, 2**53 - 1]
out = {
    "script": "make-cases.py",
    "words": [{"seed": s, "values": words(s, 10)} for s in seeds],
    "uniform": [{"seed": s, "values": uniform(s, 6)} for s in seeds],
    "uniform24": [{"seed": s, "values": [x >> 8 for x in words(s, 6)]} for s in seeds],
    "normal": [{"seed": s, "values": normal(s, 40)} for s in seeds],
    "ints": [{"seed": s, "n": n, "values": ints(s, n, 12)} for s in seeds for n in (1, 7, 60000, 3 * 2**30)],
    "quantiles": [
        {"p": p, "z": NormalDist().inv_cdf(p)}
        for p in (2**-53, 1e-15, 1e-12, 1e-9, 1e-5, 0.01, 0.074, 0.076, 0.3, 0.5, 0.7, 0.924, 0.926, 0.99, 1 - 2**-40)
    ],
}
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "cases.json"), "w") as f:
    json.dump(out, f)
    f.write("\n")
