// A parameter: a leaf tensor that a module owns and an optimizer changes.

import { currentBackend } from "../backend/backend.ts";
import { check } from "../errors.ts";
import { disown } from "../tensor/scope.ts";
import { checkShape, type Shape, sizeOf } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";

/**
 * A tensor that requires a gradient and belongs to a module: no scope frees it. Its values are
 * undefined until an init scheme (`nn.init`) or `loadStateDict` writes them.
 */
export class Parameter extends Tensor {
	readonly isParameter = true;

	/** A parameter of `shape` on the current backend. */
	constructor(shape: Shape, name = "parameter") {
		checkShape(shape, name);
		const backend = currentBackend();
		super(backend.alloc(backend.float, sizeOf(shape)), shape, name);
		disown(this);
		this.collectWithGarbage();
		this.requiresGrad = true;
	}

	/** A parameter with the values of `tensor`, copied. */
	static from(tensor: Tensor, name = tensor.name): Parameter {
		const parameter = new Parameter(tensor.shape, name);
		writeInto(parameter, tensor);
		return parameter;
	}
}

/** Copies the values of `source` into `target`, which may be on another backend. Shapes must agree in size. */
export function writeInto(target: Tensor, source: Tensor): void {
	check(
		target.size === source.size,
		() => `${target.describe()}: cannot take the values of ${source.describe()}, which is of another size`,
	);
	target.view().set(source.view().subarray(0, source.size));
	target.storage.version++;
}
