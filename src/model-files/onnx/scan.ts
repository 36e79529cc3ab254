// A look through a protobuf file before anything is made of it: that lengths stay within the file, that messages do
// not nest without end, and that the objects to be made are in proportion to the bytes they come from. Two bytes are
// enough for an empty node, which takes hundreds in memory, so a small file could otherwise ask for any amount.

import { type DescField, type DescMessage, ScalarType } from "@bufbuild/protobuf";
import { check, EvenkeelError } from "../../errors.ts";
import { countPacked } from "./packed.ts";

/** Nested messages: three a subgraph (attribute, graph, node). The limit of protobuf's own readers. */
const MAX_DEPTH = 100;
/** What a file may always take when decoded; a larger one, twice its size. */
const ALWAYS_ALLOWED = 64 * 2 ** 20;

/** Bytes in memory, as measured in V8: an object, a list and what its first element adds, strings, views of the file. */
const OBJECT = 96;
const LIST = 16;
const FIRST = 136;
const STRING = 48;
const BYTES = 112;
/** Numbers in objects, and as elements of lists. */
const NUMBER = 8;
const FLOAT = 26;
const INTEGER = 10;
const BIG = 34;

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
	/** How a value is written: base-128, of 8 bytes, with a length, of 4 bytes. */
	wire: 0 | 1 | 2 | 5;
	isList: boolean;
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
	const message = field.message ?? null;
	return { message, isList, wire: message ? 2 : wireOf(scalar), cost: message ? NUMBER : costOf(scalar, isList) };
}

function wireOf(scalar: ScalarType | undefined): Field["wire"] {
	if (scalar === ScalarType.STRING || scalar === ScalarType.BYTES) return 2;
	if (scalar === ScalarType.FLOAT || scalar === ScalarType.FIXED32 || scalar === ScalarType.SFIXED32) return 5;
	return scalar === ScalarType.DOUBLE || scalar === ScalarType.FIXED64 || scalar === ScalarType.SFIXED64 ? 1 : 0;
}

function costOf(scalar: ScalarType | undefined, isList: boolean): number {
	if (scalar === ScalarType.STRING) return STRING;
	if (scalar === ScalarType.BYTES) return BYTES;
	if (scalar === ScalarType.INT64 || scalar === ScalarType.UINT64) return BIG;
	if (!isList) return NUMBER;
	return scalar === ScalarType.FLOAT || scalar === ScalarType.DOUBLE ? FLOAT : INTEGER;
}

function scanMessage(scan: Scan, table: Table, begin: number, end: number, depth: number): void {
	check(
		depth < MAX_DEPTH,
		() => `${scan.what}: messages nest more than ${MAX_DEPTH} deep at byte ${begin}; the file is damaged or hostile`,
	);
	charge(scan, table.cost);
	let at = begin;
	/** The lists that have an element. */
	let started = 0;
	while (at < end) {
		const tag = readVarint(scan, at, end);
		const number = Math.floor(tag.value / 8);
		const field = table.fields.get(number);
		if (field?.isList && (started & (1 << number)) === 0) {
			started |= 1 << number;
			charge(scan, FIRST);
		}
		at = field
			? scanField(scan, field, `${table.name} field ${number}`, tag.value % 8, tag.next, end, depth)
			: skipField(scan, tag.value % 8, tag.next, end);
	}
}

/** Checks the value of a field that is known, which begins at `at`; where the next field begins. */
function scanField(
	scan: Scan,
	{ message, wire, isList, cost }: Field,
	name: string,
	found: number,
	at: number,
	end: number,
	depth: number,
): number {
	// A reader takes the type for granted, and would read on wherever another one leads it.
	const packed = isList && wire !== 2 && found === 2;
	check(
		found === wire || packed,
		() => `${scan.what}: not an ONNX file, or a damaged one: ${name} is of wire type ${found} at byte ${at}`,
	);
	if (wire !== 2 && !packed) {
		charge(scan, cost);
		return wire === 0 ? readVarint(scan, at, end).next : advance(scan, at, wire === 1 ? 8 : 4, end);
	}
	const { value: length, next: from } = readVarint(scan, at, end);
	const to = advance(scan, from, length, end);
	if (message) scanMessage(scan, tableOf(message), from, to, depth + 1);
	if (packed) charge(scan, cost * countPacked([scan.bytes.subarray(from, to)], wire === 0 ? 0 : wire === 1 ? 8 : 4));
	// Bytes are views of the file, strings copies.
	else charge(scan, cost === STRING ? STRING + length : cost);
	return to;
}

/** Checks the value of a field that is not known, which is kept as it stands; where the next field begins. */
function skipField(scan: Scan, wire: number, at: number, end: number): number {
	charge(scan, OBJECT + BYTES);
	if (wire === 0) return readVarint(scan, at, end).next;
	if (wire === 1 || wire === 5) return advance(scan, at, wire === 1 ? 8 : 4, end);
	check(
		wire === 2,
		() => `${scan.what}: not an ONNX file, or a damaged one: wire type ${wire} before byte ${at} is not used there`,
	);
	const { value: length, next } = readVarint(scan, at, end);
	return advance(scan, next, length, end);
}

function charge(scan: Scan, bytes: number): void {
	scan.used += bytes;
	if (scan.used > scan.allowed) {
		throw new EvenkeelError(
			`${scan.what}: ${scan.bytes.length} bytes that would take more than ${scan.allowed} in memory; if you trust it, ` +
				"allow more with { memoryLimit }",
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
