// What a measurement was made on.

import { availableParallelism, cpus, totalmem } from "node:os";

/** One line: processor, cores, memory, system, Node. */
export function machine() {
	const [cpu] = cpus();
	const memory = `${Math.round(totalmem() / 2 ** 30)} GiB`;
	const speed = cpu?.speed ? ` at ${cpu.speed} MHz` : "";
	const name = cpu?.model.trim() ?? process.arch;
	return `${name}${speed}, ${availableParallelism()} cores, ${memory}, ${process.platform}, Node ${process.version}`;
}
