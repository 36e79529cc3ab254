// The model of docs/scaling.md: a collective of n bytes on N ranks takes
//
//   allreduce(n) = latency + n / bandwidth
//
// with the two constants as they are for that number of ranks: fitted to measured messages, or told by a network.

/** @typedef {{ bytes: number, microseconds: number }} Message */
/** @typedef {{ ranks: number, allreduce: Message[], allgather: Message[] }} Messages */
/**
 * @typedef {{ ranks: number, preset: string, batchSize: number, sync: boolean, milliseconds: number, examplesPerSecond: number,
 *   perStep: Record<string, { calls: number, bytes: number }> }} Step
 */
/** @typedef {{ latency: number, bandwidth: number, allreduce(bytes: number): number, allgather: number }} Fit */

/**
 * Latency in microseconds from the messages up to 256 bytes, bandwidth in MB/s (bytes a microsecond) from those of 256 KiB
 * and more.
 *
 * @param {Messages} messages @returns {Fit}
 */
export function fit({ allreduce, allgather }) {
	const mean = (/** @type {number[]} */ values) => values.reduce((sum, value) => sum + value, 0) / values.length;
	const latency = mean(allreduce.filter(({ bytes }) => bytes <= 256).map(({ microseconds }) => microseconds));
	const large = allreduce.filter(({ bytes }) => bytes >= 262144);
	const bandwidth = mean(large.map(({ bytes, microseconds }) => bytes / (microseconds - latency)));
	return {
		latency,
		bandwidth,
		allreduce: (bytes) => latency + bytes / bandwidth,
		allgather: mean(allgather.map(({ microseconds }) => microseconds)),
	};
}

/**
 * What the ranks say in a step, and how long the model says that takes if nothing of it is hidden behind backward.
 *
 * @param {Step} step @param {Fit} fit
 */
export function stepMessages({ perStep }, { latency, bandwidth, allgather }) {
	let [messages, bytes, microseconds] = [0, 0, 0];
	for (const [call, said] of Object.entries(perStep)) {
		messages += said.calls;
		bytes += said.bytes;
		microseconds += said.calls * (call.startsWith("allgather") ? allgather : latency);
		if (!call.startsWith("allgather")) microseconds += said.bytes / bandwidth;
	}
	return { messages: Math.round(messages), bytes, milliseconds: microseconds / 1000 };
}
