// The numbers of a step, in the order in which the engine sends them.

export const rows = {
	trainLoss: 0,
	evalLoss: 1,
	batchMean: 2,
	runningMean: 3,
	batchStd: 4,
	runningStd: 5,
	gap: 6,
} as const;

/** How many there are. */
export const ROWS = 7;
