// Ctrl-C: the first asks the run to stop after the step under way, the second ends the process at once. Nobody reading
// what it prints asks for the same.

/** The exit code of a process that was interrupted: 128 + SIGINT. */
export const interrupted = 130;

const signals = ["SIGINT", "SIGTERM"] as const;

/** What stops the bodies that run. */
const running = new Set<() => void>();
let asked = false;

/**
 * Runs `body` with an AbortSignal that the first SIGINT or SIGTERM aborts. `onFirst` can say so.
 */
export async function stoppable<T>(body: (signal: AbortSignal) => Promise<T>, onFirst: () => void): Promise<T> {
	const controller = new AbortController();
	const stop = (): void => {
		if (controller.signal.aborted) return;
		controller.abort();
		onFirst();
	};
	const listener = (): void => {
		if (controller.signal.aborted) process.exit(interrupted);
		stop();
	};
	for (const signal of signals) process.on(signal, listener);
	running.add(stop);
	if (asked) stop();
	try {
		return await body(controller.signal);
	} finally {
		running.delete(stop);
		for (const signal of signals) process.off(signal, listener);
	}
}

/** As the first Ctrl-C, also for what has yet to begin. */
export function stopAll(): void {
	asked = true;
	for (const stop of running) stop();
}
