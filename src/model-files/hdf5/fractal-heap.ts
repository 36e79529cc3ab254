// Fractal heaps, in which newer files keep the links and attributes of groups that have many, and the B-trees of the
// second version that list what is in them.

import { EvenkeelError } from "../../errors.ts";
import { type Block, bytesFor, damaged } from "./block.ts";

/** What the records of a B-tree hold before the object's identifier. */
interface RecordForm {
	readonly type: number;
	readonly skip: number;
}

interface Heap {
	readonly root: Block;
	readonly idLength: number;
	readonly offsetWidth: number;
	readonly lengthWidth: number;
	readonly width: number;
	readonly startSize: number;
	/** Rows of direct blocks in any indirect block. */
	readonly directRows: number;
	/** The root block, and its rows; 0 where it is a direct block. */
	readonly block: number | null;
	readonly rows: number;
}

/** Every object of the heap at `heapAt`, by the B-tree at `indexAt`, as a block of its own. */
export function heapObjects(root: Block, heapAt: number, indexAt: number, form: RecordForm): Block[] {
	const heap = readHeap(root, heapAt);
	return records(root, indexAt, form.type).map((record) => {
		record.skip(form.skip);
		return objectOf(heap, record.part(heap.idLength, "an identifier in a heap"));
	});
}

function readHeap(root: Block, at: number): Heap {
	const { offset, length } = root.widths;
	const block = root.other(at, 22 + 12 * length + 3 * offset, "a fractal heap");
	block.signature("FRHP");
	block.version(0);
	const idLength = block.u16();
	if (block.u16() !== 0) throw new EvenkeelError(`${root.source.name}: a heap is compressed, which is not read here`);
	block.skip(1);
	const largestObject = block.u32();
	block.skip(length + offset + length + offset + 8 * length);
	const width = block.u16();
	const startSize = block.length();
	const largestBlock = block.length();
	const heapBits = block.u16();
	block.skip(2);
	const rootAt = block.address();
	const rows = block.u16();
	if (!isPowerOfTwo(startSize) || !isPowerOfTwo(largestBlock) || !isPowerOfTwo(width) || heapBits > 64) {
		block.fail("its blocks are of no possible size");
	}
	return {
		root,
		idLength,
		offsetWidth: Math.ceil(heapBits / 8),
		lengthWidth: bytesFor(Math.min(largestBlock, largestObject)),
		width,
		startSize,
		directRows: Math.log2(largestBlock) - Math.log2(startSize) + 2,
		block: rootAt,
		rows,
	};
}

const isPowerOfTwo = (value: number) => value > 0 && Number.isInteger(Math.log2(value));

function objectOf(heap: Heap, id: Block): Block {
	const kind = (id.u8() >> 4) & 3;
	if (kind !== 0) {
		throw new EvenkeelError(`${id.source.name}: an object of a heap is kept apart from it, which is not read here`);
	}
	const offset = id.uint(heap.offsetWidth) ?? id.fail("its offset is undefined");
	const length = id.uint(heap.lengthWidth) ?? id.fail("its length is undefined");
	return id.other(placeIn(heap, offset, heap.block, heap.rows, 0), length, "an object of a heap");
}

/** The bytes of a block in row `row`: the first two rows have the smallest. */
function blockSize({ startSize }: Heap, row: number): number {
	return row < 2 ? startSize : startSize * 2 ** (row - 1);
}

/**
 * Where `offset`, counted within the block at `at`, is in the file. `rows` of an indirect block lie in `width` columns
 * each; a direct block has none.
 */
function placeIn(heap: Heap, offset: number, at: number | null, rows: number, depth: number): number {
	const { root, width, directRows } = heap;
	if (at === null) throw damaged(root.source, root.begin, "a block of a heap is undefined");
	if (rows === 0) return at + offset;
	if (depth > 64) throw damaged(root.source, at, "a heap goes in circles");
	let rest = offset;
	for (let row = 0; row < rows; row++) {
		const size = blockSize(heap, row);
		if (rest < width * size) {
			const column = Math.floor(rest / size);
			const child = childOf(heap, at, row * width + column);
			const childRows = row < directRows ? 0 : Math.log2(size / heap.startSize / width) + 1;
			if (!Number.isInteger(childRows) || childRows < 0) throw damaged(root.source, at, "a heap has no such rows");
			return placeIn(heap, rest - column * size, child, childRows, depth + 1);
		}
		rest -= width * size;
	}
	throw damaged(root.source, at, "an object is outside of its heap");
}

function childOf({ root, offsetWidth }: Heap, at: number, index: number): number | null {
	const { offset } = root.widths;
	root.other(at, 4, "an indirect block of a heap").signature("FHIB");
	return root.other(at + 5 + offset + offsetWidth + index * offset, offset, "an indirect block of a heap").address();
}

/** All records of a B-tree of the second version, in order. */
function records(root: Block, at: number, type: number): Block[] {
	const { offset, length } = root.widths;
	const header = root.other(at, 22 + offset + length, "a B-tree");
	header.signature("BTHD");
	header.version(0);
	if (header.u8() !== type) header.fail(`it is not of type ${type}`);
	const nodeSize = header.u32();
	const recordSize = header.u16();
	const depth = header.u16();
	header.skip(2);
	const node = header.address();
	const count = header.u16();
	if (recordSize === 0 || depth > 16) header.fail("its nodes are of no possible size");
	if (node === null) return [];
	const found: Block[] = [];
	const widths = widthsOf(header, nodeSize, recordSize, depth);
	const tree: Tree = { root, recordSize, found, seen: new Set(), ...widths };
	collect(tree, node, count, depth);
	return found;
}

interface Tree {
	readonly root: Block;
	readonly recordSize: number;
	readonly found: Block[];
	readonly seen: Set<number>;
	/** Bytes of the number of records in a child. */
	readonly countWidth: number;
	/** By depth: bytes of the number of records below a child; those of leaves are not written. */
	readonly totalWidths: readonly number[];
}

/** Signature, version, type and checksum of a node. */
const overhead = 10;

/** As H5B2hdr.c derives them: from the most records that the nodes of each depth can have. */
function widthsOf(
	header: Block,
	nodeSize: number,
	recordSize: number,
	depth: number,
): Pick<Tree, "countWidth" | "totalWidths"> {
	const inLeaf = Math.floor((nodeSize - overhead) / recordSize);
	const countWidth = bytesFor(inLeaf);
	const totalWidths = [0];
	let below = inLeaf;
	for (let level = 1; level <= depth; level++) {
		const width = level === 1 ? 0 : bytesFor(below);
		totalWidths.push(width);
		const pointer = header.widths.offset + countWidth + width;
		const own = Math.floor((nodeSize - overhead - pointer) / (recordSize + pointer));
		if (own < 1 || below < 1) header.fail("its nodes are of no possible size");
		below = (own + 1) * below + own;
	}
	return { countWidth, totalWidths };
}

function collect(tree: Tree, at: number, count: number, depth: number): void {
	const { root, recordSize, found, seen, countWidth } = tree;
	if (seen.has(at)) throw damaged(root.source, at, "a B-tree goes in circles");
	seen.add(at);
	const totalWidth = tree.totalWidths[depth];
	const children = depth === 0 ? 0 : (count + 1) * (root.widths.offset + countWidth + totalWidth);
	const node = root.other(at, 6 + count * recordSize + children, "a node of a B-tree");
	node.signature(depth === 0 ? "BTLF" : "BTIN");
	node.skip(2);
	const records = Array.from({ length: count }, () => node.part(recordSize, "a record of a B-tree"));
	if (depth === 0) {
		found.push(...records);
		return;
	}
	for (let i = 0; i <= count; i++) {
		const child = node.place();
		const childCount = node.uint(countWidth) ?? node.fail("the records of a node are undefined");
		node.skip(totalWidth);
		collect(tree, child, childCount, depth - 1);
		if (i < count) found.push(records[i]);
	}
}
