// The members of a group: names, and where their object headers are. Older files keep them in a B-tree of symbol
// tables, newer ones in messages of the group's header or, when there are many, in a fractal heap.

import { type Block, damaged, textOf } from "./block.ts";
import { heapObjects } from "./fractal-heap.ts";
import { type Message, messageType } from "./object-header.ts";

/** The object that a name stands for. Soft and external links, which stand for other names, are left out. */
export type Link = readonly [name: string, header: number];

const longestName = 4096;

/** The links that the messages of a group's header lead to. */
export function readLinks(messages: readonly Message[]): Link[] {
	return messages.flatMap((message) => {
		const data = message.data();
		if (message.type === messageType.symbolTable) return symbolTable(data.place(), data.place(), data);
		if (message.type === messageType.link) return readLink(data);
		if (message.type === messageType.linkInfo) return denseLinks(data);
		return [];
	});
}

/** A link message. */
function readLink(block: Block): Link[] {
	block.version(1);
	const flags = block.u8();
	const type = flags & 8 ? block.u8() : 0;
	if (flags & 4) block.skip(8);
	if (flags & 16) block.skip(1);
	const length = block.uint(1 << (flags & 3)) ?? block.fail("the length of a name is undefined");
	const name = textOf(block.bytes(length));
	return type === 0 ? [[name, block.place()]] : [];
}

function denseLinks(info: Block): Link[] {
	info.version(0);
	if (info.u8() & 1) info.skip(8);
	const [heap, index] = [info.address(), info.address()];
	if (heap === null || index === null) return [];
	// A record of the index by name: a hash of four bytes, the object's place in the heap.
	return heapObjects(info, heap, index, { type: 5, skip: 4 }).flatMap((object) => readLink(object));
}

function symbolTable(tree: number, heap: number, root: Block): Link[] {
	const header = root.other(heap, 8 + 2 * root.widths.length + root.widths.offset, "a local heap");
	header.signature("HEAP");
	header.version(0);
	header.skip(3);
	const size = header.length();
	header.length();
	const names = root.other(header.place(), size, "the names of a local heap").bytes(size);
	const links: Link[] = [];
	for (const node of leavesOf(tree, root)) {
		for (const [at, object] of symbols(node, root)) {
			const end = names.indexOf(0, at);
			if (at >= names.length || end === -1 || end - at > longestName) {
				throw damaged(root.source, node, "a name is outside of its heap, or longer than a name is");
			}
			links.push([textOf(names.subarray(at, end)), object]);
		}
	}
	return links;
}

/** The symbol tables that a B-tree of the first version leads to. */
function* leavesOf(tree: number, root: Block, seen = new Set<number>(), level = 256): Generator<number> {
	if (seen.has(tree)) throw damaged(root.source, tree, "a B-tree goes in circles");
	seen.add(tree);
	const { offset, length } = root.widths;
	const prefix = root.other(tree, 8, "a B-tree");
	prefix.signature("TREE");
	if (prefix.u8() !== 0) prefix.fail("it is not that of a group");
	const own = prefix.u8();
	if (own >= level) prefix.fail("its levels do not fall");
	const count = prefix.u16();
	const children = root.other(tree + 8 + 2 * offset, count * (length + offset), "a B-tree");
	for (let i = 0; i < count; i++) {
		children.skip(length);
		const child = children.place();
		if (own > 0) yield* leavesOf(child, root, seen, own);
		else {
			if (seen.has(child)) throw damaged(root.source, child, "a symbol table comes twice");
			seen.add(child);
			yield child;
		}
	}
}

/** Where the names of a symbol table begin in the heap, and the headers of its objects. */
function* symbols(node: number, root: Block): Generator<[at: number, header: number]> {
	const prefix = root.other(node, 8, "a symbol table");
	prefix.signature("SNOD");
	prefix.version(1);
	prefix.skip(1);
	const count = prefix.u16();
	const entries = root.other(node + 8, count * (2 * root.widths.offset + 24), "a symbol table");
	for (let i = 0; i < count; i++) {
		const at = entries.uint(root.widths.offset) ?? entries.fail("a name is undefined");
		const header = entries.address();
		const cache = entries.u32();
		entries.skip(20);
		// 2: a soft link, which has no header.
		if (cache !== 2 && header !== null) yield [at, header];
	}
}
