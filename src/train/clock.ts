// How long training takes, without what it is interrupted for.

/** A stopwatch. */
export class Clock {
	#before = 0;
	#since: number | null = null;

	get seconds(): number {
		return this.#before + (this.#since === null ? 0 : secondsSince(this.#since));
	}

	get running(): boolean {
		return this.#since !== null;
	}

	start(): void {
		this.#since ??= performance.now();
	}

	stop(): void {
		this.#before = this.seconds;
		this.#since = null;
	}

	/** Stops, at `seconds`. */
	reset(seconds = 0): void {
		this.#before = seconds;
		this.#since = null;
	}
}

/** Seconds since `start`, a time of `performance.now()`. */
export function secondsSince(start: number): number {
	return (performance.now() - start) / 1000;
}
