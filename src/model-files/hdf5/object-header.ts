// Object headers: the list of messages that says what an object is. Two forms, the older one of most files.

import { type Block, damaged } from "./block.ts";

/** The messages that matter here. */
export const messageType = {
	dataspace: 1,
	linkInfo: 2,
	datatype: 3,
	link: 6,
	external: 7,
	layout: 8,
	filters: 11,
	attribute: 12,
	continuation: 16,
	symbolTable: 17,
	attributeInfo: 21,
} as const;

/** One message of a header. */
export interface Message {
	readonly type: number;
	/** Its data are elsewhere: a type with a name of its own. */
	readonly shared: boolean;
	/** A block of its own over the message's data, to be read once. */
	data(): Block;
}

/** A part of a header: the first, or one that a continuation leads to. */
interface Chunk {
	readonly begin: number;
	readonly length: number;
}

/** The messages of the object whose header is at `at`; `root` is any block of the file. */
export function readObjectHeader(root: Block, at: number): Message[] {
	const isNew = String.fromCharCode(...root.other(at, 4, "an object header").bytes(4)) === "OHDR";
	const { first, trackOrder } = isNew ? newPrefix(root, at) : { first: oldPrefix(root, at), trackOrder: false };
	const messages: Message[] = [];
	const chunks: Chunk[] = [first];
	const seen = new Set<number>();
	for (const chunk of chunks) {
		// A chunk that leads back to one before would go on for ever.
		if (seen.has(chunk.begin)) throw damaged(root.source, chunk.begin, "an object header goes in circles");
		seen.add(chunk.begin);
		for (const message of messagesIn(root, chunk, isNew, trackOrder)) {
			if (message.type === messageType.continuation) chunks.push(continuation(message.data(), isNew));
			else if (message.type !== 0) messages.push(message);
		}
	}
	return messages;
}

function oldPrefix(root: Block, at: number): Chunk {
	const prefix = root.other(at, 16, "an object header");
	prefix.version(1);
	prefix.skip(7);
	return { begin: at + 16, length: prefix.u32() };
}

function newPrefix(root: Block, at: number): { first: Chunk; trackOrder: boolean } {
	const start = root.other(at, 6, "an object header");
	start.signature("OHDR");
	start.version(2);
	const flags = start.u8();
	const skipped = (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0);
	const width = 1 << (flags & 3);
	const sizes = root.other(at + 6, skipped + width, "an object header");
	sizes.skip(skipped);
	const length = sizes.uint(width) ?? sizes.fail("its length is undefined");
	return { first: { begin: at + 6 + skipped + width, length }, trackOrder: (flags & 4) !== 0 };
}

/** In the newer form, a chunk begins with letters and ends with a checksum. */
function continuation(data: Block, isNew: boolean): Chunk {
	const [begin, length] = [data.place(), data.length()];
	if (!isNew) return { begin, length };
	data.other(begin, 4, "an object header's continuation").signature("OCHK");
	return { begin: begin + 4, length: length - 8 };
}

function* messagesIn(root: Block, { begin, length }: Chunk, isNew: boolean, trackOrder: boolean): Generator<Message> {
	const block = root.other(begin, length, "the messages of an object header");
	const prefix = isNew ? (trackOrder ? 6 : 4) : 8;
	// What is left in the newer form is a gap.
	while (block.rest >= prefix) {
		const type = isNew ? block.u8() : block.u16();
		const size = block.u16();
		const flags = block.u8();
		block.skip(prefix - (isNew ? 4 : 5));
		const at = block.position;
		block.skip(size);
		yield { type, shared: (flags & 2) !== 0, data: () => root.other(at, size, `a message of type ${type}`) };
	}
}
