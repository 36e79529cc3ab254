// What a message hands over instead of copying: the memory of its typed arrays.

/** The buffers of all typed arrays in `value`, however deep, each once; shared memory is none of them. */
export function transferables(value: unknown): Transferable[] {
	const found = new Set<ArrayBuffer>();
	collect(value, found);
	return [...found];
}

function collect(value: unknown, found: Set<ArrayBuffer>): void {
	if (value === null || typeof value !== "object") return;
	if (ArrayBuffer.isView(value)) {
		if (value.buffer instanceof ArrayBuffer) found.add(value.buffer);
		return;
	}
	if (Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype) {
		for (const item of Object.values(value)) collect(item, found);
	}
}
