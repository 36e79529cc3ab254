// Training is one long computation; now and then it lets signals, timers and browsers have their turn.

/** How long the computation may go on without a pause, in milliseconds. */
const stretch = 50;

/** A pause that lets whatever is waiting in the event loop run, once. */
function pause(): Promise<void> {
	const { setImmediate } = globalThis;
	if (typeof setImmediate === "function") return new Promise((resolve) => void setImmediate(resolve));
	// In browsers timers are slowed down to 4 ms; a message is not.
	return new Promise((resolve) => {
		const { port1, port2 } = new MessageChannel();
		port1.onmessage = () => {
			port1.close();
			resolve();
		};
		port2.postMessage(null);
	});
}

/** Pauses when the last pause lies more than 50 ms back. */
export class Breather {
	#since = performance.now();

	/** True when a pause is due: `if (breather.due) await breather.pause()`, which costs nothing when not. */
	get due(): boolean {
		return performance.now() - this.#since > stretch;
	}

	async pause(): Promise<void> {
		await pause();
		this.#since = performance.now();
	}
}
