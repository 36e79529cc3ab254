// How the rows of a batch are given.

import type { Tensor } from "../../tensor/tensor.ts";

/** Which rows: numbers, or an int32 tensor of one dimension. */
export type Rows = Int32Array | readonly number[] | Tensor;

/** Whether rows are given as a tensor. */
export function isTensor(rows: Rows): rows is Tensor {
	return !ArrayBuffer.isView(rows) && "isEvenkeelTensor" in rows;
}
