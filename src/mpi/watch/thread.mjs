// The thread that watches over the ranks while the main thread computes. Rank 0's listens; the others' are connected to
// it, and both sides say every second that they are there. A connection that closes without a farewell is a process
// that has ended, one that is silent a process that is stopped, or a machine that is gone. What is found out is written
// into shared memory, which the main thread looks at while it waits for the others.

import { writeSync } from "node:fs";
import { createServer, connect as open } from "node:net";
import { parentPort, workerData } from "node:worker_threads";

/** Seconds. They are counted by this thread's own clock: if all stop at once and go on, nobody is silent. */
const BEAT = 1;
const LONGEST_SILENCE = 15;
/** So long the main thread may take to see what was found out, in which it may be in the middle of a step. */
const LONGEST_DELAY = 10;
const CONNECT_TIMEOUT = 5;
const LONGEST_MESSAGE = 16384;

/** @type {{ rank: number, name: string, token: string, state: Int32Array, text: Uint8Array, addresses: string[], port: number }} */
const { rank, name, token, state, text, addresses, port } = workerData;

/** Those on the other side, by their connections. @type {Map<import("node:net").Socket, { name: string, silent: number }>} */
const peers = new Map();
let ending = false;
/** Seconds since trouble was found, or -1. */
let troubleFor = -1;

/** Tells this process's main thread, and all others, once. @param {string} what @param {import("node:net").Socket} [from] */
function trouble(what, from) {
	if (troubleFor >= 0 || ending) return;
	troubleFor = 0;
	const bytes = new TextEncoder().encode(what).subarray(0, text.length);
	text.set(bytes);
	Atomics.store(state, 1, bytes.length);
	Atomics.store(state, 0, 1);
	for (const socket of peers.keys()) if (socket !== from) say(socket, { trouble: what });
}

/** @param {import("node:net").Socket} socket @param {object} message */
function say(socket, message) {
	if (socket.writable) socket.write(`${JSON.stringify(message)}\n`);
}

/** @param {import("node:net").Socket} socket @param {(message: Record<string, unknown>) => void} hear */
function listen(socket, hear) {
	let rest = "";
	socket.setEncoding("utf8").setNoDelay(true);
	socket.on("data", (chunk) => {
		const lines = (rest + chunk).split("\n");
		rest = lines.pop() ?? "";
		if (rest.length > LONGEST_MESSAGE) return socket.destroy();
		for (const line of lines) hear(parse(line));
	});
	socket.on("error", () => socket.destroy());
	socket.on("close", () => {
		const peer = peers.get(socket);
		peers.delete(socket);
		if (peer) trouble(`${peer.name} has ended in the middle of the run, so the others cannot go on`);
	});
}

/** @param {string} line @returns {Record<string, unknown>} */
function parse(line) {
	try {
		const value = JSON.parse(line);
		return typeof value === "object" && value !== null ? value : {};
	} catch {
		return {};
	}
}

/** @param {import("node:net").Socket} socket @param {Record<string, unknown>} message */
function hear(socket, message) {
	const peer = peers.get(socket);
	if (!peer) return;
	peer.silent = 0;
	if (typeof message.trouble === "string") trouble(message.trouble, socket);
	if (message.farewell === true) peers.delete(socket);
}

function serve() {
	const server = createServer((socket) => {
		listen(socket, (message) => {
			if (peers.has(socket)) return hear(socket, message);
			// Whoever does not know the word is none of us.
			if (message.token !== token || typeof message.name !== "string") return socket.destroy();
			peers.set(socket, { name: message.name, silent: 0 });
			say(socket, { welcome: name });
		});
	});
	server.on("error", ({ message }) => parentPort?.postMessage({ failed: message }));
	server.listen(0, () => {
		const address = server.address();
		parentPort?.postMessage({ port: typeof address === "object" && address ? address.port : 0 });
	});
}

/** Tries the addresses of rank 0's machine, one after the other. @param {string[]} left @param {string} why */
function connect([address, ...left], why) {
	if (address === undefined) return parentPort?.postMessage({ failed: why });
	const socket = open({ host: address, port });
	let welcome = false;
	const next = (/** @type {string} */ reason) => {
		if (welcome) return;
		welcome = true;
		socket.destroy();
		connect(left, `${address}: ${reason}`);
	};
	socket.setTimeout(CONNECT_TIMEOUT * 1000, () => next("no answer"));
	socket.once("error", ({ message }) => next(message));
	socket.once("close", () => next("the connection was closed"));
	socket.once("connect", () => say(socket, { token, name }));
	listen(socket, (message) => {
		if (peers.has(socket)) return hear(socket, message);
		if (welcome || typeof message.welcome !== "string") return;
		welcome = true;
		socket.setTimeout(0);
		peers.set(socket, { name: message.welcome, silent: 0 });
		parentPort?.postMessage({ connected: true });
	});
}

setInterval(() => {
	for (const [socket, peer] of peers) {
		say(socket, {});
		if (++peer.silent > LONGEST_SILENCE) {
			trouble(
				`${peer.name} has not been heard of for ${LONGEST_SILENCE} s, so the others cannot go on: ` +
					"its machine or the network is gone, or the process is stopped",
			);
		}
	}
	if (troubleFor < 0 || Atomics.load(state, 0) !== 1) return;
	troubleFor += BEAT;
	if (troubleFor > LONGEST_DELAY) {
		// The main thread is in the middle of something that does not end.
		writeSync(2, `rank ${rank}: ${new TextDecoder().decode(text.slice(0, Atomics.load(state, 1)))}\n`);
		process.kill(process.pid, "SIGKILL");
	}
}, BEAT * 1000);

parentPort?.on("message", ({ failed, end }) => {
	if (typeof failed === "string") trouble(failed);
	if (end !== true) return;
	ending = true;
	for (const socket of peers.keys()) {
		say(socket, { farewell: true });
		socket.end();
	}
	peers.clear();
	parentPort?.postMessage({ ended: true });
});

if (rank === 0) serve();
else connect(addresses, "rank 0 has no address");
