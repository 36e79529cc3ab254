// Ctrl-C: the first asks the run to stop after the step under way, the second ends the process at once.

/** The exit code of a process that was interrupted: 128 + SIGINT. */
export const interrupted = 130;

const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * Runs `body` with an AbortSignal that the first SIGINT or SIGTERM aborts. `onFirst` can say so.
 */
export async function stoppable<T>(body: (signal: AbortSignal) => Promise<T>, onFirst: () => void): Promise<T> {
	const controller = new AbortController();
	const listener = (): void => {
		if (controller.signal.aborted) process.exit(interrupted);
		controller.abort();
		onFirst();
	};
	for (const signal of signals) process.on(signal, listener);
	try {
		return await body(controller.signal);
	} finally {
		for (const signal of signals) process.off(signal, listener);
	}
}
