// Seeded random numbers that are the same on every platform, engine and backend: Philox for the
// bits, exactly rounded arithmetic for everything made from them.

import { check } from "../errors.ts";
import { normalQuantile } from "./normal-quantile.ts";
import { philox } from "./philox.ts";

/** Where a {@link Generator} stands: plain data, fit for JSON. */
export interface GeneratorState {
	/** The number the generator was made with. */
	seed: number;
	/** Which of the seed's 2^64 streams, low word first: [0, 0] for the first, others from `fork()`. */
	stream: [number, number];
	/** How many 32-bit words of the stream have been used. */
	counter: number;
}

/** A run of Philox blocks set aside for a kernel: block i is philox(counter (block + i, stream), key). */
export interface RandomBlocks {
	/** The key: the seed, low word first. */
	key: [number, number];
	stream: [number, number];
	/** The number of the first block, below 2^51. */
	block: number;
}

const TWO_32 = 2 ** 32;
/** Words are counted exactly up to here; at a billion a second that takes three months. */
const LAST_WORD = Number.MAX_SAFE_INTEGER;

/**
 * A source of random numbers that is a function of its seed: Philox4x32-10 (Salmon et al. 2011) run over a
 * counter. The same seed gives the same numbers everywhere, on any number of threads.
 *
 *     const random = new Generator(42);
 *     random.uniform();                    // [0, 1)
 *     random.fork("shuffle").permutation(60000);
 *
 * @throws EvenkeelError if the seed is not a whole number from 0 to 2^53 - 1
 */
export class Generator {
	#seed = 0;
	#stream: [number, number] = [0, 0];
	#counter = 0;
	/** The four words of the block that `#loaded` names; -1 if none. */
	#words = new Uint32Array(4);
	#loaded = -1;

	constructor(seed = 0) {
		this.setState({ seed, stream: [0, 0], counter: 0 });
	}

	/** The number that this generator was made with. */
	get seed(): number {
		return this.#seed;
	}

	/** 32 random bits, as a whole number in [0, 2^32). Uses one word. */
	uint32(): number {
		const block = Math.floor(this.#counter / 4);
		if (block !== this.#loaded) this.#load(block);
		return this.#words[this.#counter++ & 3];
	}

	/** A number in [low, high), of 53 random bits. Default [0, 1). Uses two words. */
	uniform(low = 0, high = 1): number {
		const high27 = this.uint32() >>> 5;
		const low26 = this.uint32() >>> 6;
		return low + (high - low) * ((high27 * 2 ** 26 + low26) * 2 ** -53);
	}

	/**
	 * Fills `array` with numbers in [low, high), default [0, 1), each of 24 random bits, so that float32 holds
	 * them and both backends start from the same numbers. Where float32 is too coarse to tell the last step below
	 * `high` from `high`, that is what it rounds to. Uses one word each. Returns the array.
	 */
	fillUniform<A extends Float32Array | Float64Array>(array: A, low = 0, high = 1): A {
		const width = (high - low) * 2 ** -24;
		for (let i = 0; i < array.length; i++) array[i] = low + width * (this.uint32() >>> 8);
		return array;
	}

	/**
	 * A normally distributed number: the inverse of the distribution function at one of 2^52 evenly spaced
	 * probabilities, so |z| < 8.3. Made from + - * / and sqrt alone, since Math.log and Math.cos differ
	 * between engines. Uses two words.
	 */
	normal(mean = 0, std = 1): number {
		const high26 = this.uint32() >>> 6;
		const low26 = this.uint32() >>> 6;
		return mean + std * normalQuantile((high26 * 2 ** 26 + low26 + 0.5) * 2 ** -52);
	}

	/** Fills `array` with the numbers that {@link normal} would give one after another. Returns the array. */
	fillNormal<A extends Float32Array | Float64Array>(array: A, mean = 0, std = 1): A {
		for (let i = 0; i < array.length; i++) array[i] = this.normal(mean, std);
		return array;
	}

	/**
	 * A whole number in [0, n), each as likely as the other: draws that would favor the low ones are drawn again.
	 *
	 * @throws EvenkeelError if n is not a whole number from 1 to 2^32
	 */
	int(n: number): number {
		check(
			Number.isInteger(n) && n >= 1 && n <= TWO_32,
			() => `Generator.int: expected a whole number from 1 to 2^32, got ${n}`,
		);
		const limit = TWO_32 - (TWO_32 % n);
		for (;;) {
			const word = this.uint32();
			if (word < limit) return word % n;
		}
	}

	/** The numbers 0 to n - 1 in random order, each order as likely as the other (Fisher, Yates). */
	permutation(n: number): Int32Array {
		check(
			Number.isInteger(n) && n >= 0 && n < 2 ** 31,
			() => `Generator.permutation: expected a whole number from 0 to 2^31 - 1, got ${n}`,
		);
		const order = Int32Array.from({ length: n }, (_, i) => i);
		for (let i = n - 1; i > 0; i--) {
			const j = this.int(i + 1);
			const moved = order[i];
			order[i] = order[j];
			order[j] = moved;
		}
		return order;
	}

	/**
	 * A generator with the same seed and a stream of its own, chosen by `label` and by this generator's stream
	 * alone: it does not matter how much either has been used. The number 1 is the label "1".
	 */
	fork(label: string | number): Generator {
		const text = String(label);
		const [low, high] = this.#stream;
		const words = new Uint32Array(4);
		// Another key than that of the numbers themselves: "fork" in ASCII.
		philox(
			hash(text, 0x811c9dc5),
			hash(text, 0x9747b28c),
			low,
			high,
			this.#key()[0] ^ 0x666f726b,
			this.#key()[1],
			words,
		);
		const child = new Generator(this.#seed);
		child.setState({ seed: this.#seed, stream: [words[0], words[1]], counter: 0 });
		return child;
	}

	/**
	 * Sets `count` whole blocks of four words aside for a kernel that computes them itself, and moves past them.
	 * Internal, for ops.
	 */
	takeBlocks(count: number): RandomBlocks {
		const block = Math.ceil(this.#counter / 4);
		check(block * 4 + count * 4 <= LAST_WORD, "Generator: all 2^53 numbers of the stream are used; fork() another");
		this.#counter = (block + count) * 4;
		return { key: this.#key(), stream: [...this.#stream], block };
	}

	/** Where the generator stands. `new Generator().setState(state)` goes on from there. */
	state(): GeneratorState {
		return { seed: this.#seed, stream: [...this.#stream], counter: this.#counter };
	}

	/**
	 * Goes to where {@link state} was taken. Returns the generator.
	 *
	 * @throws EvenkeelError if `state` is not one that `state()` gave
	 */
	setState(state: GeneratorState): this {
		checkCount(state.seed, "seed");
		checkCount(state.counter, "counter");
		check(
			Array.isArray(state.stream) && state.stream.length === 2 && state.stream.every(isWord),
			() => `Generator: the stream must be two whole numbers below 2^32, got ${JSON.stringify(state.stream)}`,
		);
		this.#seed = state.seed;
		this.#stream = [state.stream[0], state.stream[1]];
		this.#counter = state.counter;
		this.#loaded = -1;
		return this;
	}

	#key(): [number, number] {
		return [this.#seed >>> 0, Math.floor(this.#seed / TWO_32)];
	}

	#load(block: number): void {
		check(this.#counter <= LAST_WORD - 4, "Generator: all 2^53 numbers of the stream are used; fork() another");
		const [k0, k1] = this.#key();
		philox(block >>> 0, Math.floor(block / TWO_32), this.#stream[0], this.#stream[1], k0, k1, this.#words);
		this.#loaded = block;
	}
}

function checkCount(value: number, what: string): void {
	check(
		Number.isSafeInteger(value) && value >= 0,
		() => `Generator: the ${what} must be a whole number from 0 to 2^53 - 1, got ${value}`,
	);
}

function isWord(value: unknown): boolean {
	return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < TWO_32;
}

/** FNV-1a over UTF-16 code units, from a start of one's choice. */
function hash(text: string, start: number): number {
	let h = start;
	for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
	return h >>> 0;
}

const theDefault = new Generator(0);

/**
 * The generator that layers, dropout and the DataLoader use unless they are given one. Its seed is 0 until
 * {@link manualSeed} sets another, so programs are repeatable by default.
 */
export function defaultGenerator(): Generator {
	return theDefault;
}

/** Starts the default generator anew from `seed`, a whole number from 0 to 2^53 - 1. Returns the generator. */
export function manualSeed(seed: number): Generator {
	return theDefault.setState({ seed, stream: [0, 0], counter: 0 });
}
