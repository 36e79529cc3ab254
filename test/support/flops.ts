// Timing what is bound by arithmetic: billions of floating-point operations a second, beside what a
// loop of nothing but multiply-adds reaches on the same machine at the same moment.

import asc from "assemblyscript/asc";
import { afterAll, beforeAll, bench } from "vitest";
import { hasRelaxedSimd } from "../../src/backend/wasm/module.ts";

/** Twelve independent chains, as many as the micro-kernels keep. One round is 96 operations. */
const PEAK_SOURCE = `
@inline function fma(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}
export function rounds(n: i32, x: f32): f32 {
  const a = f32x4.splat(x), b = f32x4.splat(x + x);
  let c0 = a, c1 = b, c2 = a, c3 = b, c4 = a, c5 = b, c6 = a, c7 = b, c8 = a, c9 = b, cA = a, cB = b;
  for (; n > 0; n--) {
    c0 = fma(a, b, c0); c1 = fma(a, b, c1); c2 = fma(a, b, c2); c3 = fma(a, b, c3);
    c4 = fma(a, b, c4); c5 = fma(a, b, c5); c6 = fma(a, b, c6); c7 = fma(a, b, c7);
    c8 = fma(a, b, c8); c9 = fma(a, b, c9); cA = fma(a, b, cA); cB = fma(a, b, cB);
  }
  c0 = f32x4.add(f32x4.add(f32x4.add(c0, c1), f32x4.add(c2, c3)), f32x4.add(f32x4.add(c4, c5), f32x4.add(c6, c7)));
  return f32x4.extract_lane(f32x4.add(c0, f32x4.add(f32x4.add(c8, c9), f32x4.add(cA, cB))), 0);
}`;

/** Operations a second of one core at best, in billions. */
async function peak(): Promise<number> {
	const features = hasRelaxedSimd() ? "simd,relaxed-simd" : "simd";
	const { binary, stderr } = await asc.compileString(PEAK_SOURCE, {
		enable: [features],
		optimizeLevel: 3,
		runtime: "stub",
	});
	if (!binary) throw new Error(String(stderr));
	const { instance } = await WebAssembly.instantiate(new Uint8Array(binary), { env: { abort() {} } });
	const rounds = instance.exports.rounds as (n: number, x: number) => number;
	let best = Infinity;
	for (let i = 0; i < 30; i++) {
		const start = performance.now();
		rounds(1e5, 0.001);
		best = Math.min(best, performance.now() - start);
	}
	return (96e5 / best) * 1e-6;
}

interface Measured {
	name: string;
	flops: number;
	milliseconds: number[];
}

/**
 * For a benchmark file: `measure(name, flops, fn)` registers a benchmark, and when all have run, a
 * table gives each one's fastest and median GFLOP/s and the share of `threads` times the peak.
 */
export function flopsTable(threads: number): (name: string, flops: number, fn: () => void) => void {
	const all: Measured[] = [];
	let best = 0;
	beforeAll(async () => {
		best = await peak();
	});
	afterAll(() => {
		const lines = all.map(({ name, flops, milliseconds }) => {
			const sorted = milliseconds.sort((a, b) => a - b);
			const rate = (ms: number) => (flops / ms) * 1e-6;
			const [fastest, median] = [rate(sorted[0]), rate(sorted[sorted.length >> 1])];
			const share = ((100 * fastest) / (threads * best)).toFixed(0);
			const columns = [name.padEnd(44), fastest.toFixed(1).padStart(7), median.toFixed(1).padStart(7)];
			return `${columns.join(" ")} ${share.padStart(4)} %   ${sorted[0].toFixed(3)} ms`;
		});
		console.log(
			[
				`${threads} threads; one core's peak is ${best.toFixed(1)} GFLOP/s`,
				"fastest and median GFLOP/s:",
				...lines,
			].join("\n"),
		);
	});
	return (name, flops, fn) => {
		const measured: Measured = { name, flops, milliseconds: [] };
		all.push(measured);
		bench(
			name,
			() => {
				const start = performance.now();
				fn();
				measured.milliseconds.push(performance.now() - start);
			},
			{ time: 200, warmupTime: 50 },
		);
	};
}
