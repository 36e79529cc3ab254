// Where a network holds a module, and how another takes its place.

import { ModuleList, Sequential } from "../nn/containers.ts";
import type { Module } from "../nn/module.ts";

/** One place where a module stands: a property of its parent, or an item of a list. */
export interface Place {
	readonly parent: Module;
	/** `"bn1"`, or the number of the item. */
	readonly name: string;
	/** Puts `module` there. Null if the parent holds its children in a way of its own, which does not let them change. */
	readonly put: ((module: Module) => void) | null;
}

/** All places of `module` in the tree of `net`. A module that is used twice may have several. */
export function placesOf(net: Module, module: Module): Place[] {
	return net
		.modules()
		.flatMap((parent) =>
			[...parent.namedChildren()]
				.filter(([, child]) => child === module)
				.map(([name]) => ({ parent, name, put: putterOf(parent, name, module) })),
		);
}

function putterOf(parent: Module, name: string, module: Module): Place["put"] {
	if (parent instanceof Sequential || parent instanceof ModuleList) {
		return (other) => void parent.splice(Number(name), 1, other);
	}
	const property = Object.getOwnPropertyDescriptor(parent, name);
	if (property?.value !== module || !property.writable) return null;
	return (other) => {
		other.path = "";
		Reflect.set(parent, name, other);
	};
}
