// Numbers over time in bounded memory. Samples arrive at any steps; when the buckets are full, those nearest to each other
// are merged, so that all of a run, however long, stays in view.

/** Buckets at most: about as many as a panel is wide. */
const CAPACITY = 512;

/** A fixed number of values (`rows`) at each sampled step; a bucket is the mean of its samples. */
export class History {
	readonly rows: number;
	readonly #capacity: number;
	#count = 0;
	/** A sample closer than this to the first step of the last bucket joins it. */
	#gap = 1;
	readonly #first: Float64Array;
	readonly #last: Float64Array;
	readonly #samples: Uint32Array;
	/** `[capacity, rows]`; NaN stands for no number, and whatever is merged with it is none either. */
	readonly #sums: Float64Array;

	constructor(rows: number, capacity = CAPACITY) {
		this.rows = rows;
		this.#capacity = capacity;
		this.#first = new Float64Array(capacity);
		this.#last = new Float64Array(capacity);
		this.#samples = new Uint32Array(capacity);
		this.#sums = new Float64Array(capacity * rows);
	}

	/** Buckets in use. */
	get length(): number {
		return this.#count;
	}

	/** The step of the last sample; 0 before there is one. */
	get lastStep(): number {
		return this.#count > 0 ? this.#last[this.#count - 1] : 0;
	}

	/** Adds a sample. One of the same step as the last is the same sample, and is left out. */
	push(step: number, values: ArrayLike<number>): void {
		if (this.#count > 0 && step <= this.lastStep) return;
		const joins = this.#count > 0 && step < this.#first[this.#count - 1] + this.#gap;
		if (!joins) this.#open(step);
		const at = this.#count - 1;
		this.#last[at] = step;
		this.#samples[at]++;
		for (let row = 0; row < this.rows; row++) this.#sums[at * this.rows + row] += values[row];
	}

	/** The first step of bucket `i`. */
	stepOf(i: number): number {
		return this.#first[i];
	}

	/** The mean of row `row` over the samples of bucket `i`; NaN if there is none. */
	value(i: number, row: number): number {
		return this.#sums[i * this.rows + row] / this.#samples[i];
	}

	/** The bucket that is shown at `step`: the last that begins no later, else the first; -1 if there is none. */
	at(step: number): number {
		let [low, high] = [0, this.#count];
		while (low < high) {
			const middle = (low + high) >> 1;
			if (this.#first[middle] <= step) low = middle + 1;
			else high = middle;
		}
		return this.#count === 0 ? -1 : Math.max(0, low - 1);
	}

	#open(step: number): void {
		if (this.#count === this.#capacity) this.#merge(step);
		const at = this.#count++;
		this.#first[at] = step;
		this.#samples[at] = 0;
		this.#sums.fill(0, at * this.rows, (at + 1) * this.rows);
	}

	/** Halves the number of buckets at least, by twice the gap again and again. */
	#merge(step: number): void {
		this.#gap = Math.max(this.#gap, Math.floor((step - this.#first[0]) / this.#capacity));
		while (this.#count > this.#capacity / 2) {
			this.#gap *= 2;
			this.#fold();
		}
	}

	/** Joins each bucket to the one before if both fit into a gap. */
	#fold(): void {
		let to = 0;
		for (let from = 1; from < this.#count; from++) {
			if (this.#first[from] < this.#first[to] + this.#gap) {
				this.#samples[to] += this.#samples[from];
				for (let row = 0; row < this.rows; row++) {
					this.#sums[to * this.rows + row] += this.#sums[from * this.rows + row];
				}
			} else {
				to++;
				this.#first[to] = this.#first[from];
				this.#samples[to] = this.#samples[from];
				this.#sums.copyWithin(to * this.rows, from * this.rows, (from + 1) * this.rows);
			}
			this.#last[to] = this.#last[from];
		}
		this.#count = to + 1;
	}
}
