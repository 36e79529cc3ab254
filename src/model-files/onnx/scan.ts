// A look through a protobuf file before anything is made of it: that lengths stay within the file, that messages do
// not nest without end, and that the objects to be made are in proportion to the bytes they come from. Two bytes are
// enough for an empty node, which takes hundreds in memory, so a small file could otherwise ask for any amount.

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { check, EvenkeelError } from "../../errors.ts";

/** Nested messages: three a subgraph (attribute, graph, node). The limit of protobuf's own readers. */
const MAX_DEPTH = 100;
/** What a file may always take when decoded; a larger one, twice its size. */
const ALWAYS_ALLOWED = 64 * 2 ** 20;

/** Bytes in memory, as V8 lays them out: an object or a list, a list's slot, a number in a list, a big one, a string. */
const OBJECT = 96;
const LIST = 16;
const NUMBER = 8;
const BIG = 32;
const STRING = 32;

interface Scan {
	bytes: Uint8Array;
	what: string;
	/** Bytes that the decoded objects take so far, and may take. */
	used: number;
	allowed: number;
}

/**
 * Checks that `bytes` is a well-formed message of type `schema`.
 *
 * @param what opens error messages: the file's path
 * @param memoryLimit bytes that its objects may take when decoded, without the file itself. Default: the larger of
 *   64 MiB and twice the file's size
 * @throws EvenkeelError if it is cut short, nests too deep, or would take too much memory
 */
export function checkWire(schema: DescMessage, bytes: Uint8Array, what: string, memoryLimit?: number): void {
	const allowed = memoryLimit ?? Math.max(ALWAYS_ALLOWED, 2 * bytes.length);
	scanMessage({ bytes, what, used: 0, allowed }, tableOf(schema), 0, bytes.length, 0);
}

/** What the scan needs to know of a message type. */
interface Table {
	name: string;
	fields: Map<number, Field>;
	/** Bytes of one in memory, empty. */
	cost: number;
}

interface Field {
	/** Of messages: their type. Resolved when met, since types contain themselves. */
	message: DescMessage | null;
	/** Of numbers in lists, which may come packed: bytes in the file, 0 for a varint; null for all else. */
	packed: number | null;
	/** Bytes of one value in memory. */
	cost: number;
}

const tables = new WeakMap<DescMessage, Table>();

function tableOf(schema: DescMessage): Table {
	const known = tables.get(schema);
	if (known) return known;
	const fields = new Map(schema.fields.map((field) => [field.number, describe(field)]));
	const lists = schema.fields.filter(({ fieldKind }) => fieldKind === "list").length;
	const table = { name: schema.name, fields, cost: OBJECT + NUMBER * schema.fields.length + LIST * lists };
	tables.set(schema, table);
	return table;
}

function describe(field: DescField): Field {
	const isList = field.fieldKind === "list";
	const scalar = field.fieldKind === "scalar" || (isList && field.listKind === "scalar") ? field.scalar : undefined;
	const isText = scalar === ScalarType.STRING || scalar === ScalarType.BYTES;
	const isBig = scalar === ScalarType.INT64 || scalar === ScalarType.UINT64;
	return {
		message: field.message ?? null,
		packed: isList && scalar !== undefined && !isText ? fixedSize(scalar) : null,
		cost: isText ? STRING : isBig ? BIG : NUMBER,
	};
}

function fixedSize(scalar: ScalarType): number {
	if (scalar === ScalarType.FLOAT || scalar === ScalarType.FIXED32 || scalar === ScalarType.SFIXED32) return 4;
	return scalar === ScalarType.DOUBLE || scalar === ScalarType.FIXED64 || scalar === ScalarType.SFIXED64 ? 8 : 0;
}

function scanMessage(scan: Scan, table: Table, begin: number, end: number, depth: number): void {
	check(
		depth < MAX_DEPTH,
		() => `${scan.what}: messages nest more than ${MAX_DEPTH} deep at byte ${begin}; the file is damaged or hostile`,
	);
	charge(scan, table.cost);
	let at = begin;
	while (at < end) {
		const tag = readVarint(scan, at, end);
		at = scanField(scan, table.fields.get(Math.floor(tag.value / 8)), tag.value % 8, tag.next, end, depth);
	}
}

/** Checks one field's value, which begins at `at`; where the next field begins. */
function scanField(scan: Scan, field: Field | undefined, wire: number, at: number, end: number, depth: number): number {
	if (wire === 0) {
		charge(scan, field?.cost ?? BIG);
		return readVarint(scan, at, end).next;
	}
	if (wire === 1 || wire === 5) {
		charge(scan, field?.cost ?? BIG);
		return advance(scan, at, wire === 1 ? 8 : 4, end);
	}
	check(
		wire === 2,
		() => `${scan.what}: not an ONNX file, or a damaged one: wire type ${wire} before byte ${at} is not used there`,
	);
	const { value: length, next: from } = readVarint(scan, at, end);
	const to = advance(scan, from, length, end);
	if (!field) charge(scan, OBJECT);
	else if (field.message) scanMessage(scan, tableOf(field.message), from, to, depth + 1);
	else if (field.packed !== null) charge(scan, field.cost * countPacked(scan.bytes, field.packed, from, to));
	// Bytes are views of the file; strings are copies of a byte or two a character.
	else charge(scan, field.cost);
	return to;
}

/** How many numbers lie in a packed list. */
function countPacked(bytes: Uint8Array, size: number, from: number, to: number): number {
	if (size > 0) return (to - from) / size;
	let count = 0;
	for (let i = from; i < to; i++) if (bytes[i] < 0x80) count++;
	return count;
}

function charge(scan: Scan, bytes: number): void {
	scan.used += bytes;
	if (scan.used > scan.allowed) {
		throw new EvenkeelError(
			`${scan.what}: ${scan.bytes.length} bytes that would take more than ${scan.allowed} in memory; if you trust it, ` +
				"allow more with { memoryLimit }, or store its tensors as raw data",
		);
	}
}

function advance(scan: Scan, at: number, length: number, end: number): number {
	if (length > end - at) {
		throw new EvenkeelError(
			`${scan.what}: not an ONNX file, or one cut short or damaged: ${length} bytes are announced at byte ${at}, ${end - at} are left`,
		);
	}
	return at + length;
}

/** A base-128 number of at most ten bytes. What exceeds 2^53 is not exact, and no length or tag. */
function readVarint(scan: Scan, at: number, end: number): { value: number; next: number } {
	let value = 0;
	for (let i = 0; i < 10 && at + i < end; i++) {
		const byte = scan.bytes[at + i];
		value += (byte & 0x7f) * 2 ** (7 * i);
		if (byte < 0x80) return { value, next: at + i + 1 };
	}
	throw new EvenkeelError(`${scan.what}: not an ONNX file, or a damaged one: no number at byte ${at}`);
}
