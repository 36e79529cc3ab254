// What panels ask the engine for, by name: one line a topic or query. The page imports this file's types only.

import { activationQuantiles } from "../panels/distribution/engine.ts";
import { switchableShares } from "../panels/family/engine.ts";
import { layerStatistics } from "../panels/heat-maps/engine.ts";
import { scaleAndShift } from "../panels/scale-shift/engine.ts";
import { normStatistics } from "../panels/statistics/engine.ts";
import { normsAtWork } from "../panels/stepper/engine.ts";
import { decisionSurface } from "../panels/surface/engine.ts";
import { testPictures, tryPicture } from "../panels/try-it/engine.ts";
import type { Query, Topic } from "./topic.ts";

export const topics = {
	decisionSurface,
	normStatistics,
	switchableShares,
	scaleAndShift,
	activationQuantiles,
	normsAtWork,
	layerStatistics,
	tryPicture,
};

export const queries = {
	testPictures,
};

export type Topics = typeof topics;
export type Queries = typeof queries;

/** What a topic's subscriber says, and is told of each twin. */
export type ParamsOf<Name extends keyof Topics> = Topics[Name] extends Topic<infer Params, unknown> ? Params : never;
export type DataOf<Name extends keyof Topics> = Topics[Name] extends Topic<infer _Params, infer Data> ? Data : never;

/** What a query is asked, and answers. */
export type ArgsOf<Name extends keyof Queries> = Queries[Name] extends Query<infer Args, unknown> ? Args : never;
export type ResultOf<Name extends keyof Queries> =
	Queries[Name] extends Query<infer _Args, infer Result> ? Result : never;
