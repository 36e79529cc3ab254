"""Vectors for matmul: matrices, vectors, batches and broadcasting, sizes around the 6 x 8 tile."""

import os
import sys

import torch

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../../test/conformance"))
from cases import Cases, tensor

c = Cases(__file__)


def add(name, a, b):
    c.add("matmul", name, lambda i: torch.matmul(i["a"], i["b"]), {"a": tensor(a, 1), "b": tensor(b, 2)})


add("one by one", [1, 1], [1, 1])
add("inner length one", [7, 1], [1, 9])
add("one tile", [6, 5], [5, 8])
add("tiles and edges", [17, 9], [9, 19])
add("more rows than are left unpacked", [31, 7], [7, 10])
add("one row", [1, 17], [17, 9])
add("one column", [9, 17], [17, 1])
add("longer than a block of k", [2, 401], [401, 2])
add("inner length zero", [3, 0], [0, 5])
add("no rows", [0, 3], [3, 5])
add("dot product", [19], [19])
add("matrix and vector", [7, 9], [9])
add("vector and matrix", [9], [9, 7])
add("batch", [3, 5, 4], [3, 4, 7])
add("batch of single rows", [5, 1, 9], [5, 9, 1])
add("batch on the left only", [2, 3, 4, 5], [5, 9])
add("batch on the right only", [7, 5], [3, 5, 6])
add("broadcast both ways", [3, 1, 4, 5], [2, 5, 3])
add("broadcast ones", [1, 2, 7, 3], [3, 1, 3, 9])
add("vector and batch", [5], [3, 5, 2])
add("batch and vector", [3, 2, 5], [5])
add("empty batch", [0, 3, 4], [0, 4, 5])

c.write()
