// Elementwise arithmetic, functions and comparisons.

export { add, div, maximum, minimum, mul, type Operand, sub } from "./binary.ts";
export { clone, toFloat } from "./cast.ts";
export { equal, greater, greaterEqual, less, lessEqual, notEqual } from "./comparison.ts";
export { abs, clamp, exp, log, neg, pow, sqrt, square } from "./unary.ts";
