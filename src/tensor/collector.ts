// Calling the garbage collector by hand, in Node: no flag is needed on the command line. Browsers have nothing like it.

export interface Collector {
	/** Collects all garbage now. What a FinalizationRegistry says of it comes later, between tasks. */
	collect(): void;
	/**
	 * Lets targets of weak references die within this very job. The language keeps a target alive until the end of the job
	 * that made the reference or looked at it, in every library; so only where memory would run out instead.
	 */
	forgetJob(): void;
}

/** The collector of this thread, or null where it cannot be called. */
export function makeCollector(): Collector | null {
	const v8 = globalThis.process?.getBuiltinModule?.("node:v8");
	const vm = globalThis.process?.getBuiltinModule?.("node:vm");
	if (!v8 || !vm) return null;
	try {
		// V8 ends a job, for weak references, where a queue of microtasks has run dry. This context has a queue of its own,
		// always empty, looked at after each evaluation; the program's own microtasks wait as before.
		v8.setFlagsFromString("--expose-gc");
		const context = vm.createContext({}, { microtaskMode: "afterEvaluate" });
		const collect: unknown = vm.runInContext("gc", context);
		// Contexts and threads that the program makes later look as they would without us.
		if (!("gc" in globalThis)) v8.setFlagsFromString("--no-expose-gc");
		if (typeof collect !== "function") return null;
		return { collect: () => void collect(), forgetJob: () => void vm.runInContext("0", context) };
	} catch {
		// A runtime that is like Node but for this.
		return null;
	}
}
