// Fuzzing readers of files: real files, damaged in all the ways that come to mind, must be refused with an
// EvenkeelError or read rightly. Nothing else may be thrown, nothing may take long, and nothing may take more memory
// than twice the file.
//
//     test("…", () => {
//         const { read, refused } = fuzz({ seeds: [readFileSync("model.onnx")], read: (bytes) => decodeOnnx(bytes) });
//         expect([read > 0, refused > 0]).toEqual([true, true]);
//     }, fuzzTimeout);
//
// `npm test` takes a thousand cases a reader; EVENKEEL_FUZZ_CASES=100000 takes as many as it says, and
// EVENKEEL_FUZZ_SEED=7 other ones. A case that fails is made smaller and printed by fast-check, with what to repeat it by.

import { getHeapStatistics } from "node:v8";
import { Script } from "node:vm";
import fc from "fast-check";
import { EvenkeelError } from "../../src/errors.ts";

/** A reader and what to feed it with. */
export interface FuzzTarget<Result> {
	/** Sound files: what is damaged. Small ones find more in the same time. */
	readonly seeds: readonly Uint8Array[];
	/** Reads a file. What it throws must be an EvenkeelError. */
	readonly read: (bytes: Uint8Array) => Result;
	/** Throws if `result` is not what the file holds. */
	readonly verify?: (result: Result, bytes: Uint8Array) => void;
	/**
	 * Bytes that reading may take beyond twice the file's size: the objects that even a small file makes, most of which are
	 * garbage by then. Default 8 MB; a length that is believed takes gigabytes.
	 */
	readonly spare?: number;
	/** Milliseconds that one file may take, on a busy machine. Default 10,000. */
	readonly limit?: number;
	/** How many cases. Default what EVENKEEL_FUZZ_CASES says, else 1,000. */
	readonly cases?: number;
}

/** How many damaged files were still read, and how many refused. */
export interface FuzzReport {
	read: number;
	refused: number;
}

const asked = Number(process.env.EVENKEEL_FUZZ_CASES ?? 1000);

/** What a test with one `fuzz()` in it may take: 20 ms a case, and a minute. */
export const fuzzTimeout = 60_000 + 20 * asked;

/**
 * Feeds `target.read` with damaged files. Cases are the same in every run, unless EVENKEEL_FUZZ_SEED says otherwise.
 *
 * @throws what fast-check reports of the first case that fails, made as small as it goes
 */
export function fuzz<Result>(target: FuzzTarget<Result>): FuzzReport {
	const report: FuzzReport = { read: 0, refused: 0 };
	for (const seed of target.seeds) runCase(target, Uint8Array.from(seed), { read: 0, refused: 0 });
	fc.assert(
		fc.property(damagedFiles(target.seeds), (file) => runCase(target, file.bytes, report)),
		{
			numRuns: target.cases ?? asked,
			seed: Number(process.env.EVENKEEL_FUZZ_SEED ?? 1),
			includeErrorInReport: true,
		},
	);
	return report;
}

function runCase<Result>(
	{ read, verify, spare = 8e6, limit = 10_000 }: FuzzTarget<Result>,
	bytes: Uint8Array,
	report: FuzzReport,
): void {
	const before = memoryInUse();
	let result: { value: Result } | null = null;
	try {
		result = { value: withinTime(limit, () => read(bytes)) };
		report.read++;
	} catch (error) {
		if (!(error instanceof EvenkeelError)) throw error;
		if (error.message.length > 2000)
			throw new Error(`a message of ${error.message.length} characters: ${error.message.slice(0, 200)}`);
		report.refused++;
	}
	const taken = memoryInUse() - before;
	if (taken > 2 * bytes.length + spare) throw new Error(`reading ${bytes.length} bytes took ${taken} bytes of memory`);
	if (result) verify?.(result.value, bytes);
}

/** Objects, and what lies outside of the heap: typed arrays. What was collected meanwhile is not counted. */
function memoryInUse(): number {
	const { used_heap_size: heap, external_memory: external } = getHeapStatistics();
	return heap + external;
}

const slot = Symbol.for("evenkeel.fuzz");
const call = new Script('globalThis[Symbol.for("evenkeel.fuzz")]()');

/** Calls `fn`, and throws if it takes longer than `limit` milliseconds: even a loop without end. */
function withinTime<Result>(limit: number, fn: () => Result): Result {
	Object.defineProperty(globalThis, slot, { configurable: true, value: fn });
	return call.runInThisContext({ timeout: limit });
}

/** A damaged file; what was done to it shows when a case is printed. */
interface DamagedFile {
	readonly bytes: Uint8Array;
	toString(): string;
}

function damagedFiles(seeds: readonly Uint8Array[]): fc.Arbitrary<DamagedFile> {
	const damaged = fc
		.record({
			seed: fc.nat(seeds.length - 1),
			damages: fc.array(anyDamage(seeds.length), { minLength: 1, maxLength: 6 }),
		})
		.map(({ seed, damages }) => {
			const bytes = damages.reduce((file, damage) => damage.apply(file, seeds), seeds[seed]);
			// The readers' own copy: they may keep views of it.
			return shown(Uint8Array.from(bytes), `seed ${seed}: ${damages.map((damage) => damage.what).join(", ")}`);
		});
	const invented = fc
		.oneof(
			fc.uint8Array({ maxLength: 200 }),
			fc.json({ maxDepth: 4 }).map((text) => new TextEncoder().encode(text)),
		)
		.map((bytes) => shown(bytes, "invented"));
	return fc.oneof({ weight: 30, arbitrary: damaged }, { weight: 1, arbitrary: invented });
}

function shown(bytes: Uint8Array, how: string): DamagedFile {
	const text = () => `${bytes.length} bytes (${how}): ${Buffer.from(bytes.subarray(0, 400)).toString("base64")}`;
	return Object.defineProperty({ bytes, toString: text }, fc.toStringMethod, { value: text });
}

/** One thing done to a file. */
interface Damage {
	readonly what: string;
	apply(file: Uint8Array, seeds: readonly Uint8Array[]): Uint8Array;
}

/** Where: anywhere, or, twice as often, near the beginning or the end, where files say what they are. */
const anyPlace = fc.tuple(
	fc.constantFrom("any", "begin", "end"),
	fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
);

function placeIn(file: Uint8Array, [near, fraction]: [string, number]): number {
	if (near === "any") return Math.floor(file.length * fraction);
	const distance = Math.floor(Math.min(file.length, 2048) * fraction * fraction);
	return near === "begin" ? distance : Math.max(0, file.length - 1 - distance);
}

function anyDamage(seeds: number): fc.Arbitrary<Damage> {
	const length = fc.oneof(fc.nat(16), fc.nat(1000));
	return fc.oneof(
		fc
			.tuple(anyPlace, fc.uint8Array({ minLength: 1, maxLength: 4 }))
			.map(([place, values]) => overwrite(place, values)),
		fc
			.tuple(anyPlace, fc.constantFrom(1, 2, 4, 8), anyNumber)
			.map(([place, width, number]) => setNumber(place, width, number)),
		fc.tuple(anyPlace, anyNumber).map(([place, number]) => setDigits(place, number)),
		fc.tuple(anyPlace, length).map(([place, count]) => cut(place, count)),
		anyPlace.map((place) => end(place)),
		fc
			.tuple(anyPlace, anyPlace, length, fc.boolean(), fc.nat(seeds - 1))
			.map(([from, to, count, over, seed]) => copy(from, to, count, over, seed)),
	);
}

/** Numbers at which code goes wrong; some stand for the file's own size. */
const anyNumber = fc.oneof(
	fc.constantFrom<number | string>(
		0,
		1,
		-1,
		2,
		7,
		8,
		255,
		256,
		32767,
		65535,
		2 ** 31 - 1,
		2 ** 31,
		2 ** 32 - 1,
		2 ** 32,
		2 ** 53,
		2 ** 62,
	),
	fc.constantFrom<number | string>("size", "size - 1", "size + 1", "size / 2"),
	fc.nat(100_000),
);

function numberIn(file: Uint8Array, number: number | string): number {
	if (typeof number === "number") return number;
	return number === "size / 2"
		? file.length >> 1
		: file.length + (number === "size" ? 0 : number === "size + 1" ? 1 : -1);
}

function overwrite(place: [string, number], values: Uint8Array): Damage {
	return {
		what: `${values} at ${place}`,
		apply: (file) => {
			const out = Uint8Array.from(file);
			const at = placeIn(file, place);
			out.set(values.subarray(0, out.length - at), at);
			return out;
		},
	};
}

/** A little-endian number, aligned as they mostly are. */
function setNumber(place: [string, number], width: number, number: number | string): Damage {
	return {
		what: `${number} in ${width} bytes at ${place}`,
		apply: (file) => {
			const out = Uint8Array.from(file);
			const at = placeIn(file, place) & ~(width - 1);
			const value = BigInt.asUintN(64, BigInt(numberIn(file, number)));
			for (let i = 0; i < width && at + i < out.length; i++) out[at + i] = Number((value >> BigInt(8 * i)) & 255n);
			return out;
		},
	};
}

const isDigit = (byte: number) => byte >= 0x30 && byte <= 0x39;

/** Another number in place of the digits at or after a place: for what is written as text. */
function setDigits(place: [string, number], number: number | string): Damage {
	return {
		what: `the digits ${number} after ${place}`,
		apply: (file) => {
			const begin = file.findIndex((byte, i) => i >= placeIn(file, place) && isDigit(byte));
			if (begin === -1) return file;
			let after = begin;
			while (isDigit(file[after])) after++;
			return joined(
				file.subarray(0, begin),
				new TextEncoder().encode(String(numberIn(file, number))),
				file.subarray(after),
			);
		},
	};
}

function cut(place: [string, number], count: number): Damage {
	return {
		what: `${count} bytes cut out at ${place}`,
		apply: (file) => joined(file.subarray(0, placeIn(file, place)), file.subarray(placeIn(file, place) + count)),
	};
}

function end(place: [string, number]): Damage {
	return { what: `cut off at ${place}`, apply: (file) => file.subarray(0, placeIn(file, place)) };
}

/** A piece of this or another file, put in between or written over what is there. */
function copy(from: [string, number], to: [string, number], count: number, over: boolean, seed: number): Damage {
	return {
		what: `${count} bytes of seed ${seed} from ${from} ${over ? "over" : "before"} ${to}`,
		apply: (file, seeds) => {
			const begin = placeIn(seeds[seed], from);
			const piece = seeds[seed].subarray(begin, begin + count);
			const at = placeIn(file, to);
			return joined(file.subarray(0, at), piece, file.subarray(over ? at + piece.length : at));
		},
	};
}

function joined(...parts: Uint8Array[]): Uint8Array {
	return Uint8Array.from(Buffer.concat(parts));
}
