// ZIP archives, as far as it takes to read those that Keras writes: entries that are stored, and deflated ones where
// Node inflates them. The directory at the end says where each is.

import { check, EvenkeelError } from "../errors.ts";
import { messageOf, nodeModule } from "../node.ts";
import { type ByteSource, bytesInMemory, partOf } from "./byte-source.ts";
import { quote } from "./show.ts";

/** The bytes of an archive's entries, by name. */
export type ZipEntries = ReadonlyMap<string, ByteSource>;

/** Where an entry is, as the directory says it. */
interface Place {
	readonly name: string;
	readonly method: number;
	readonly crc: number;
	/** In the archive, and unpacked. */
	readonly packed: number;
	readonly size: number;
	/** Of the header before its bytes. */
	readonly header: number;
}

const DIRECTORY_END = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;

/** What a small archive may unpack to beyond twice its size: an empty HDF5 file packs well. */
const spare = 1 << 20;

/** Whether the bytes begin as an archive's first entry does. */
export function isZip(source: ByteSource): boolean {
	return source.size >= 4 && viewOf(source.read(0, 4)).getUint32(0, true) === LOCAL_HEADER;
}

/**
 * The entries of the archive that are `wanted`. Stored ones are parts of `source`; what is inflated is no larger than
 * twice the archive, and a megabyte.
 *
 * @throws EvenkeelError if the archive is damaged, encrypted, or packed in a way that is not read here
 */
export function readZip(source: ByteSource, wanted: (name: string) => boolean): ZipEntries {
	const entries = new Map<string, ByteSource>();
	const allowed = { left: 2 * source.size + spare };
	for (const place of directory(source)) {
		check(!entries.has(place.name), () => `${source.name}: the archive has ${quote(place.name)} twice; it is damaged`);
		if (wanted(place.name)) entries.set(place.name, open(source, place, allowed));
	}
	return entries;
}

function viewOf(bytes: Uint8Array): DataView {
	return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function directory(source: ByteSource): Place[] {
	const { begin, end, count } = directoryPlace(source);
	const bytes = source.read(begin, end);
	const view = viewOf(bytes);
	const places: Place[] = [];
	let at = 0;
	for (let i = 0; i < count; i++) {
		check(
			at + 46 <= bytes.length && view.getUint32(at, true) === DIRECTORY_ENTRY,
			() => `${source.name}: the archive's directory is damaged at byte ${begin + at}; copy the file again`,
		);
		const nameLength = view.getUint16(at + 28, true);
		const next = at + 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
		check(next <= bytes.length, () => `${source.name}: the archive's directory is cut short; copy the file again`);
		const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
		check(
			(view.getUint16(at + 8, true) & 1) === 0,
			() => `${source.name}: ${quote(name)} is encrypted; unpack it first`,
		);
		places.push({
			name,
			method: view.getUint16(at + 10, true),
			crc: view.getUint32(at + 16, true),
			packed: view.getUint32(at + 20, true),
			size: view.getUint32(at + 24, true),
			header: view.getUint32(at + 42, true),
		});
		at = next;
	}
	return places;
}

function directoryPlace(source: ByteSource): { begin: number; end: number; count: number } {
	const { name, size } = source;
	// The last 22 bytes, or before a comment of up to 65535.
	const tailAt = Math.max(0, size - 22 - 65535);
	const tail = source.read(tailAt, size);
	const view = viewOf(tail);
	let at = tail.length - 22;
	while (at >= 0 && view.getUint32(at, true) !== DIRECTORY_END) at--;
	check(at >= 0, () => `${name}: not a ZIP archive, or cut short: it has no directory at its end; copy it again`);
	const count = view.getUint16(at + 10, true);
	const length = view.getUint32(at + 12, true);
	const begin = view.getUint32(at + 16, true);
	check(
		begin !== 0xffffffff && length !== 0xffffffff && count !== 0xffff,
		() => `${name}: archives of more than 4 GB (ZIP64) are not read; unpack it and give model.weights.h5`,
	);
	check(
		begin + length <= tailAt + at,
		() => `${name}: the archive's directory does not fit before its end; copy the file again`,
	);
	return { begin, end: begin + length, count };
}

function open(source: ByteSource, place: Place, allowed: { left: number }): ByteSource {
	const { name, header, packed, size, method } = place;
	const what = `${source.name}: ${quote(name)}`;
	check(header + 30 <= source.size, () => `${what} is beyond the end of the archive; copy it again`);
	const local = viewOf(source.read(header, header + 30));
	check(
		local.getUint32(0, true) === LOCAL_HEADER,
		() => `${what} is not where the archive's directory says; copy it again`,
	);
	const begin = header + 30 + local.getUint16(26, true) + local.getUint16(28, true);
	check(begin + packed <= source.size, () => `${what} goes beyond the end of the archive; copy it again`);
	const stored = partOf(source, begin, begin + packed, source.name);
	const entry = method === 0 ? stored : inflate(stored, place, what, allowed);
	check(
		entry.size === size && crc32(entry) === place.crc,
		() => `${what} is damaged: its checksum does not match; copy the archive again`,
	);
	return entry;
}

function inflate(packed: ByteSource, { method, size }: Place, what: string, allowed: { left: number }): ByteSource {
	const zlib = nodeModule("node:zlib");
	check(
		method === 8 && zlib,
		() => `${what} is compressed, which Keras does not do; unpack the archive and pack it again with zip -0`,
	);
	allowed.left -= size;
	check(
		allowed.left >= 0,
		() =>
			`${what} would take ${size} bytes unpacked; unpack the archive yourself if you trust it, and pack it with zip -0`,
	);
	try {
		const bytes = zlib.inflateRawSync(packed.read(0, packed.size), { maxOutputLength: Math.max(1, size) });
		return bytesInMemory(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength), packed.name);
	} catch (error) {
		throw new EvenkeelError(`${what} cannot be unpacked (${messageOf(error)}); copy the archive again`);
	}
}

let table: Uint32Array | null = null;

/** The checksum of ZIP: CRC-32 of IEEE 802.3, polynomial 0xEDB88320 reflected. */
export function crc32(source: ByteSource): number {
	table ??= Uint32Array.from({ length: 256 }, (_, byte) => {
		let value = byte;
		for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
		return value;
	});
	let crc = 0xffffffff;
	const step = 1 << 20;
	for (let at = 0; at < source.size; at += step) {
		const bytes = source.read(at, Math.min(source.size, at + step));
		for (let i = 0; i < bytes.length; i++) crc = table[(crc ^ bytes[i]) & 255] ^ (crc >>> 8);
	}
	return (crc ^ 0xffffffff) >>> 0;
}
