// A curve of any length in bounded memory: when the buckets are full, neighbors are merged and each stands for twice as many
// steps. So ten thousand steps cost what one thousand do, and the extremes stay visible.

/** Buckets at most; a power of two. */
const CAPACITY = 1024;

/** One value a step, kept as buckets of mean, least and most. */
export class Series {
	/** Steps a bucket. */
	#stride = 1;
	#count = 0;
	/** Steps in the last bucket. */
	#filled = 0;
	readonly #sums = new Float64Array(CAPACITY);
	readonly #counts = new Uint32Array(CAPACITY);
	readonly #least = new Float32Array(CAPACITY);
	readonly #most = new Float32Array(CAPACITY);

	/** Buckets in use. */
	get length(): number {
		return this.#count;
	}

	/** Steps that each bucket, but for the last, stands for. */
	get stride(): number {
		return this.#stride;
	}

	/** Adds the next step's value; NaN leaves a gap. */
	push(value: number): void {
		if (this.#filled === 0) {
			if (this.#count === CAPACITY) this.#halve();
			if (this.#filled === 0) this.#open();
		}
		const at = this.#count - 1;
		if (!Number.isNaN(value)) {
			this.#sums[at] += value;
			this.#counts[at]++;
			this.#least[at] = Math.min(this.#least[at], value);
			this.#most[at] = Math.max(this.#most[at], value);
		}
		this.#filled = (this.#filled + 1) % this.#stride;
	}

	/** The step, from 1, in the middle of bucket `i`. */
	stepOf(i: number): number {
		return i * this.#stride + (this.#stride + 1) / 2;
	}

	/** The mean over bucket `i`; null if it has no values. */
	mean(i: number): number | null {
		return this.#counts[i] > 0 ? this.#sums[i] / this.#counts[i] : null;
	}

	/** The least value in bucket `i`. */
	least(i: number): number | null {
		return this.#counts[i] > 0 ? this.#least[i] : null;
	}

	most(i: number): number | null {
		return this.#counts[i] > 0 ? this.#most[i] : null;
	}

	/** The mean over the last `steps` steps, or a little more: whole buckets. */
	recent(steps: number): number | null {
		let [sum, count] = [0, 0];
		for (let i = this.#count - 1; i >= 0 && (this.#count - 1 - i) * this.#stride < steps; i--) {
			sum += this.#sums[i];
			count += this.#counts[i];
		}
		return count > 0 ? sum / count : null;
	}

	#open(): void {
		const at = this.#count++;
		this.#sums[at] = 0;
		this.#counts[at] = 0;
		this.#least[at] = Number.POSITIVE_INFINITY;
		this.#most[at] = Number.NEGATIVE_INFINITY;
	}

	#halve(): void {
		for (let i = 0; i < CAPACITY / 2; i++) {
			const [from, next] = [2 * i, 2 * i + 1];
			this.#sums[i] = this.#sums[from] + this.#sums[next];
			this.#counts[i] = this.#counts[from] + this.#counts[next];
			this.#least[i] = Math.min(this.#least[from], this.#least[next]);
			this.#most[i] = Math.max(this.#most[from], this.#most[next]);
		}
		this.#count = CAPACITY / 2;
		this.#stride *= 2;
	}
}
