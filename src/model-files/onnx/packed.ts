// Packed lists of numbers, as protobuf writes them: fixed-size numbers one after another, or base-128 numbers. A list
// may come in several pieces.

import { check } from "../../errors.ts";

/** How many numbers `pieces` hold; `size` is that of a number in bytes, 0 for base-128 numbers. */
export function countPacked(pieces: readonly Uint8Array[], size: number): number {
	let count = 0;
	for (const piece of pieces) {
		if (size > 0) count += piece.length / size;
		else for (let i = 0; i < piece.length; i++) if (piece[i] < 0x80) count++;
	}
	return count;
}

/** All pieces as one, which is a view if there is but one. */
export function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
	if (pieces.length === 1) return pieces[0];
	const whole = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
	let at = 0;
	for (const piece of pieces) {
		whole.set(piece, at);
		at += piece.length;
	}
	return whole;
}

/**
 * Reads base-128 numbers: shows `take` the lower and upper 32 bits of each, both unsigned.
 *
 * @param label opens error messages
 */
export function readVarints(
	pieces: readonly Uint8Array[],
	label: string,
	take: (low: number, high: number, index: number) => void,
): void {
	let index = 0;
	for (const piece of pieces) {
		let [low, high, digits] = [0, 0, 0];
		for (let i = 0; i < piece.length; i++) {
			const digit = piece[i] & 0x7f;
			// 28 bits from the first four digits; the fifth has four of the lower half and three of the upper.
			if (digits < 4) low += digit * 2 ** (7 * digits);
			else if (digits === 4) {
				low += (digit & 15) * 2 ** 28;
				high = digit >> 4;
			} else high += digit * 2 ** (7 * digits - 32);
			digits++;
			if (piece[i] >= 0x80) check(digits < 10, () => `${label}: a number of more than ten digits; the file is damaged`);
			else {
				take(low, high % 2 ** 32, index++);
				[low, high, digits] = [0, 0, 0];
			}
		}
		check(digits === 0, () => `${label}: its last number is cut short; the file is damaged`);
	}
}
