// HDF5 files, as far as it takes to read what h5py writes: groups, data sets in one piece, attributes. The reader
// trusts nothing that a file says: addresses and lengths are checked before they are used, nothing is followed twice,
// and what is made of a file is never larger than it.

import { check, EvenkeelError } from "../../errors.ts";
import type { ByteSource } from "../byte-source.ts";
import { elements, type SafetensorsDType } from "../safetensors/dtypes.ts";
import { StoredTensor } from "../safetensors/stored-tensor.ts";
import { quote, showShape } from "../show.ts";
import { type Block, blockAt, budgetOf, damaged, textOf, type Widths } from "./block.ts";
import { heapObjects } from "./fractal-heap.ts";
import { textsInHeaps } from "./global-heap.ts";
import { readLinks } from "./links.ts";
import {
	type Attribute,
	type ElementType,
	type Layout,
	readAttribute,
	readDataspace,
	readDatatype,
	readLayout,
} from "./messages.ts";
import { type Message, messageType, readObjectHeader } from "./object-header.ts";

/** A group or a data set. */
abstract class Hdf5Object {
	/** `"/layers/dense"`; the root is `"/"`. */
	readonly path: string;
	protected readonly root: Block;
	readonly #attributes: ReadonlyMap<string, Attribute>;
	readonly #texts = new Map<string, string[]>();

	constructor(path: string, root: Block, attributes: readonly Attribute[]) {
		this.path = path;
		this.root = root;
		this.#attributes = new Map(attributes.map((attribute) => [attribute.name, attribute]));
	}

	/**
	 * The texts of an attribute; null if there is none of that name.
	 *
	 * @throws EvenkeelError if it is of another type
	 */
	texts(name: string): string[] | null {
		const attribute = this.#attributes.get(name);
		if (!attribute) return null;
		const known = this.#texts.get(name);
		if (known) return known;
		const { type, count } = attribute;
		// An empty list of Python's has no type of its own: h5py takes floats.
		if (count === 0) return [];
		const data = attribute.data();
		if (type.kind !== "text" && type.kind !== "vlen text") {
			throw new EvenkeelError(`${data.source.name}: attribute ${quote(name)} of ${this.path} must be a text`);
		}
		const fixed = () => Array.from({ length: count }, () => textOf(data.bytes(type.size)));
		const texts = type.kind === "text" ? fixed() : textsInHeaps(data, count);
		this.#texts.set(name, texts);
		return texts;
	}

	/** The text of an attribute; null if there is none of that name. */
	text(name: string): string | null {
		return this.texts(name)?.[0] ?? null;
	}
}

/** A group: names for other objects. */
export class Hdf5Group extends Hdf5Object {
	/** In the file's order, which for older files is that of the alphabet. */
	readonly groups: ReadonlyMap<string, Hdf5Group>;
	readonly datasets: ReadonlyMap<string, Hdf5Dataset>;

	constructor(
		path: string,
		root: Block,
		attributes: readonly Attribute[],
		members: readonly (readonly [string, Hdf5Group | Hdf5Dataset])[],
	) {
		super(path, root, attributes);
		const groups = new Map<string, Hdf5Group>();
		const datasets = new Map<string, Hdf5Dataset>();
		for (const [name, member] of members) {
			if (member instanceof Hdf5Group) groups.set(name, member);
			else datasets.set(name, member);
		}
		this.groups = groups;
		this.datasets = datasets;
	}

	/** The group at a path below this one, `"a/b"`; null if there is none. */
	group(path: string): Hdf5Group | null {
		let found: Hdf5Group | undefined = this;
		for (const name of path.split("/").filter((part) => part !== "")) found = found?.groups.get(name);
		return found ?? null;
	}

	/** The data set at a path below this one; null if there is none. */
	dataset(path: string): Hdf5Dataset | null {
		const at = path.lastIndexOf("/") + 1;
		return this.group(path.slice(0, at))?.datasets.get(path.slice(at)) ?? null;
	}
}

/** A data set: an array, on the disk until it is read. */
export class Hdf5Dataset extends Hdf5Object {
	/** The lengths of its axes. */
	readonly shape: readonly number[];
	readonly #type: ElementType;
	readonly #layout: Layout | "compressed" | "elsewhere";

	constructor(
		path: string,
		root: Block,
		attributes: readonly Attribute[],
		shape: readonly number[],
		type: ElementType,
		layout: Layout | "compressed" | "elsewhere",
	) {
		super(path, root, attributes);
		this.shape = shape;
		this.#type = type;
		this.#layout = layout;
	}

	/**
	 * Reads its elements: a view where the source gives views and they are aligned and little-endian.
	 *
	 * @throws EvenkeelError if they are no numbers, or in pieces, or compressed
	 */
	read(): StoredTensor {
		const { source } = this.root;
		const what = `${source.name}: data set ${quote(this.path)}`;
		const { dtype, size, bigEndian } = this.#numbers(what);
		const layout = this.#layout;
		if (layout === "compressed" || layout === "elsewhere" || layout.kind === "chunked") {
			const how = layout === "elsewhere" ? "in another file" : "in pieces, or compressed";
			throw new EvenkeelError(
				`${what} is stored ${how}; write it in one piece: h5repack -l CONTI -f NONE in.h5 out.h5`,
			);
		}
		const length = elements(this.shape) * size;
		check(layout.kind === "stored" || length === 0, () => `${what} was never written; save the model again`);
		if (layout.kind === "nowhere") return new StoredTensor({ dtype, shape: this.shape }, new Uint8Array(0), what);
		check(
			layout.length === null || layout.length >= length,
			() =>
				`${what}: shape ${showShape(this.shape)} takes ${length} bytes, ${layout.length} are stored; the file is damaged`,
		);
		if (layout.begin + length > source.size) throw damaged(source, layout.begin, `${what} goes beyond the end`);
		const bytes = source.read(layout.begin, layout.begin + length);
		return new StoredTensor({ dtype, shape: this.shape }, bigEndian ? reversed(bytes, size) : bytes, what);
	}

	#numbers(what: string): { dtype: SafetensorsDType; size: number; bigEndian: boolean } {
		const type = this.#type;
		if (type.kind === "number") return type;
		// ml_dtypes' bfloat16, which h5py does not know; Keras notes what it is.
		if (type.kind === "opaque" && type.size === 2 && this.text("dtype") === "bfloat16") {
			return { dtype: "BF16", size: 2, bigEndian: false };
		}
		throw new EvenkeelError(
			`${what} does not hold numbers but ${type.kind === "other" ? `"${type.name}"` : type.kind}`,
		);
	}
}

/**
 * Reads the structure of an HDF5 file: its groups, data sets and attributes, without their elements.
 *
 * @throws EvenkeelError if the file is damaged, or uses what this reader does not know
 */
export function readHdf5(source: ByteSource): Hdf5Group {
	const { root, header } = readSuperblock(source);
	const object = readObject(root, header, "/", new Set());
	check(object instanceof Hdf5Group, () => `${source.name}: not a sound HDF5 file: its root is no group`);
	return object;
}

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a];

/** Whether the bytes begin as an HDF5 file does. */
export function isHdf5(source: ByteSource): boolean {
	return superblockAt(source) !== null;
}

/** The superblock is at the beginning, or behind a user's block of 512 bytes, or twice as many, and so on. */
function superblockAt(source: ByteSource): number | null {
	for (let at = 0; at + 8 <= source.size; at = at === 0 ? 512 : 2 * at) {
		const bytes = source.read(at, at + 8);
		if (signature.every((byte, i) => bytes[i] === byte)) return at;
	}
	return null;
}

function readSuperblock(source: ByteSource): { root: Block; header: number } {
	const at = superblockAt(source);
	check(at !== null, () => `${source.name}: not an HDF5 file: it does not begin with \\x89HDF`);
	const budget = budgetOf(source);
	const unknown: Widths = { offset: 8, length: 8, base: 0, budget };
	const start = blockAt(source, unknown, at + 8, Math.min(16, source.size - at - 8), "the superblock");
	const version = start.version(0, 1, 2, 3);
	if (version < 2) start.skip(4);
	const [offset, length] = [start.u8(), start.u8()];
	if (![2, 4, 8].includes(offset) || ![2, 4, 8].includes(length)) start.fail(`addresses of ${offset} bytes`);
	const begin = at + (version < 2 ? (version === 0 ? 24 : 28) : 12);
	const block = blockAt(source, { offset, length, base: 0, budget }, begin, 6 * offset + 8, "the superblock");
	const base = block.place();
	const root = blockAt(source, { offset, length, base, budget }, at, 8, "the signature");
	block.skip(offset);
	const end = block.place();
	check(
		end <= source.size,
		() => `${source.name}: cut short: it takes ${end} bytes, found ${source.size}; copy it again`,
	);
	if (version < 2) block.skip(2 * offset);
	return { root, header: base + block.place() };
}

/** Deeper than models are nested. */
const DEEPEST = 100;

/** The object whose header is at `at`; `seen` are those that were met before, none of which comes again. */
function readObject(
	root: Block,
	at: number,
	path: string,
	seen: Set<number>,
	depth = 0,
): Hdf5Group | Hdf5Dataset | null {
	check(
		!seen.has(at),
		() =>
			`${root.source.name}: ${quote(path)} is the same object as another, and files in which that is so are not read here`,
	);
	if (depth > DEEPEST) throw damaged(root.source, at, `groups are nested more than ${DEEPEST} deep`);
	seen.add(at);
	const messages = readObjectHeader(root, at);
	const find = (type: number) => messages.find((message) => message.type === type);
	const attributes = attributesOf(messages);
	const layout = find(messageType.layout);
	if (layout) return readDataset(root, path, attributes, messages, layout);
	const isGroup = find(messageType.symbolTable) ?? find(messageType.linkInfo) ?? find(messageType.link);
	// A type with a name of its own, and whatever else there may be.
	if (!isGroup) return null;
	const members = readLinks(messages).flatMap(([name, header]) => {
		const member = readObject(root, header, path === "/" ? `/${name}` : `${path}/${name}`, seen, depth + 1);
		return member ? [[name, member] as const] : [];
	});
	return new Hdf5Group(path, root, attributes, members);
}

function readDataset(
	root: Block,
	path: string,
	attributes: readonly Attribute[],
	messages: readonly Message[],
	layout: Message,
): Hdf5Dataset {
	const part = (type: number, what: string): Block => {
		const message = messages.find((candidate) => candidate.type === type);
		if (!message) throw damaged(root.source, root.begin, `data set ${quote(path)} has no ${what}`);
		check(
			!message.shared,
			() => `${root.source.name}: data set ${quote(path)} has a type of its own name, which is not read here`,
		);
		return message.data();
	};
	const shape = readDataspace(part(messageType.dataspace, "shape"));
	const type = readDatatype(part(messageType.datatype, "type"));
	const size = elements(shape ?? [0]) * type.size;
	if (!Number.isSafeInteger(size)) throw damaged(root.source, root.begin, `data set ${quote(path)} is too large`);
	const has = (one: number) => messages.some((message) => message.type === one);
	const stored = has(messageType.filters)
		? "compressed"
		: has(messageType.external)
			? "elsewhere"
			: readLayout(layout.data());
	return new Hdf5Dataset(path, root, attributes, shape ?? [0], type, stored);
}

function attributesOf(messages: readonly Message[]): Attribute[] {
	return messages.flatMap((message) => {
		if (message.type === messageType.attribute && !message.shared) return [readAttribute(message.data())];
		if (message.type !== messageType.attributeInfo) return [];
		const info = message.data();
		info.version(0);
		if (info.u8() & 1) info.skip(2);
		const [heap, index] = [info.address(), info.address()];
		if (heap === null || index === null) return [];
		// A record of the index by name: the object's place in the heap, then what is of no use here.
		return heapObjects(info, heap, index, { type: 8, skip: 0 }).map(readAttribute);
	});
}

function reversed(bytes: Uint8Array, size: number): Uint8Array {
	const copy = new Uint8Array(bytes);
	for (let at = 0; at < copy.length; at += size) copy.subarray(at, at + size).reverse();
	return copy;
}
