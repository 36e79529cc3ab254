import type { Runner } from "../../../../test/conformance/runner.ts";
import { newArray } from "../../../communicator/checks.ts";
import type { NewArray, Sendable } from "../../../communicator/communicator.ts";
import { SingleProcess } from "../../../communicator/single-process.ts";
import { sizeOf } from "../../../tensor/shape.ts";
import type { Tensor } from "../../../tensor/tensor.ts";
import { channelGeometry } from "../shared/geometry.ts";
import { referenceStatistics } from "../shared/statistics.ts";
import { type SyncBatchNormOptions, syncBatchNorm } from "./op.ts";

/** A rank whose others have the examples of `others`, and send zeros in backward. */
class RankAmongOthers extends SingleProcess {
	override readonly rank: number;
	override readonly size: number;
	readonly #ranks: readonly number[];
	readonly #others: Tensor;

	constructor(ranks: readonly number[], rank: number, others: Tensor) {
		super();
		this.rank = rank;
		this.size = ranks.length;
		this.#ranks = ranks;
		this.#others = others;
	}

	override allgather<T extends Sendable>(values: T): NewArray<T> {
		const all = newArray("allgather", values, values.length * this.size);
		for (let rank = 0; rank < this.size; rank++) {
			all.set(rank === this.rank ? values : this.#statisticsOf(rank), rank * values.length);
		}
		return all;
	}

	/** What another rank sends: means, variances, count. */
	#statisticsOf(rank: number): Float64Array {
		const shape = this.#others.shape.slice(1);
		const before = this.#ranks.slice(0, rank).reduce((sum, n, i) => (i === this.rank ? sum : sum + n), 0);
		const { n, c, s } = channelGeometry([this.#ranks[rank], ...shape], "others");
		if (n === 0) return new Float64Array(2 * c + 1);
		const table = new Float64Array(4 * c);
		const values = this.#others.view().subarray(before * sizeOf(shape), (before + n) * sizeOf(shape));
		referenceStatistics(values, table, { n, c, s, count: n * s }, 0);
		return Float64Array.of(...table.subarray(0, c), ...table.subarray(3 * c), n * s);
	}
}

interface Attrs extends SyncBatchNormOptions {
	ranks: readonly number[];
	rank: number;
}

export const runners: Record<string, Runner> = {
	syncBatchNorm({ x, others, runningMean, runningVar, weight, bias }, attrs) {
		const { ranks = [], rank = 0, ...options } = attrs as Partial<Attrs>;
		const communicator = new RankAmongOthers(ranks, rank, others);
		const y = syncBatchNorm(x, { ...options, weight, bias, runningMean, runningVar, communicator, training: true });
		return { y, state: { runningMean, runningVar } };
	},
};
