// How each op is written, by its name. An op that joins adds its line to one of these tables.

import { elementwise } from "./elementwise.ts";
import { linearAlgebra } from "./linear.ts";
import { norms } from "./norms.ts";
import { pools } from "./pools.ts";
import { shapes } from "./shapes.ts";

export const opWriters = { ...linearAlgebra, ...norms, ...elementwise, ...pools, ...shapes };
