// NumPy's classic generator, so that examples written for `numpy.random.seed` show the very same
// numbers here. For everything else there is Generator.

import { check } from "../errors.ts";

const N = 624;
const M = 397;
const UPPER = 0x80000000;
const LOWER = 0x7fffffff;

/**
 * The Mersenne Twister MT19937, seeded as `numpy.random.seed(seed)` does for a whole number below 2^32.
 * `random()` gives what `numpy.random.rand()` gives, bit for bit. Not for secrets.
 *
 * Reference: Matsumoto and Nishimura 1998, https://doi.org/10.1145/272991.272995 (init_genrand, genrand_res53)
 */
export class MersenneTwister {
	readonly #state = new Uint32Array(N);
	#next = N;

	/**
	 * @param seed a whole number in [0, 2^32)
	 * @throws EvenkeelError if it is not
	 */
	constructor(seed: number) {
		check(
			Number.isInteger(seed) && seed >= 0 && seed <= 0xffffffff,
			() => `MersenneTwister: seed must be a whole number from 0 to 4294967295, got ${seed}`,
		);
		const state = this.#state;
		state[0] = seed;
		for (let i = 1; i < N; i++) state[i] = Math.imul(1812433253, state[i - 1] ^ (state[i - 1] >>> 30)) + i;
	}

	/** The next 32 random bits, as a whole number in [0, 2^32). */
	uint32(): number {
		if (this.#next === N) this.#refill();
		let y = this.#state[this.#next++];
		y ^= y >>> 11;
		y ^= (y << 7) & 0x9d2c5680;
		y ^= (y << 15) & 0xefc60000;
		y ^= y >>> 18;
		return y >>> 0;
	}

	/** The next number in [0, 1), with 53 random bits. */
	random(): number {
		const high = this.uint32() >>> 5;
		const low = this.uint32() >>> 6;
		return (high * 67108864 + low) / 9007199254740992;
	}

	/** The next `length` numbers in [0, 1): `numpy.random.rand(length)`. */
	rand(length: number): Float64Array {
		return Float64Array.from({ length }, () => this.random());
	}

	#refill(): void {
		const state = this.#state;
		for (let i = 0; i < N; i++) {
			const y = (state[i] & UPPER) | (state[(i + 1) % N] & LOWER);
			state[i] = state[(i + M) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
		}
		this.#next = 0;
	}
}
