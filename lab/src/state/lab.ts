// The lab's state: the settings, the run, and what the engine has told of it. Panels read the signals here and call
// the functions; nothing else is shared between them.

import { batch, computed, effect, type ReadonlySignal, signal } from "@preact/signals";
import type { EngineClient } from "../engine/client.ts";
import {
	type EngineInfo,
	type OwnData,
	type PerSide,
	type RunInfo,
	type Side,
	type Snapshot,
	type Speed,
	type Stopped,
	sides,
	type TestResult,
} from "../engine/protocol.ts";
import { readThreads } from "../settings/address.ts";
import { defaults, reconcile, type Settings } from "../settings/settings.ts";
import { Series } from "./series.ts";

/** What the engine is doing. */
export type Phase = "asleep" | "starting" | "loading" | "ready" | "running" | "failed";

/** The settings that are shown, and that the next step is taken with. */
export const settings = signal<Settings>(defaults);

const phaseSignal = signal<Phase>("asleep");
const engineInfo = signal<EngineInfo | null>(null);
const runSignal = signal<RunInfo | null>(null);
const progressSignal = signal(0);
const failureSignal = signal("");
const snapshotSignal = signal<Snapshot | null>(null);

export const phase: ReadonlySignal<Phase> = phaseSignal;
/** What evenkeel runs on; null until it has started. */
export const engine: ReadonlySignal<EngineInfo | null> = engineInfo;
/** The run that the engine stands ready for; null until then. */
export const run: ReadonlySignal<RunInfo | null> = runSignal;
/** How much of the data is loaded, 0 to 1. */
export const progress: ReadonlySignal<number> = progressSignal;
/** What went wrong, in English; "" if nothing. */
export const failure: ReadonlySignal<string> = failureSignal;
/** The last snapshot of this run; null at step 0. */
export const snapshot: ReadonlySignal<Snapshot | null> = snapshotSignal;
export const step = computed(() => snapshotSignal.value?.step ?? 0);
/**
 * Whether training is to go on: from start until pause, reset, a failure or the run's end. What the engine does lags behind,
 * above all while it loads: a change of settings then must not forget that it was started.
 */
const wantsToRun = signal(false);
/** Whether it trains, or will as soon as the engine can. */
export const isRunning = computed(() => phaseSignal.value === "running" || wantsToRun.value);
export const speed = computed<Speed | null>(() => snapshotSignal.value?.speed ?? null);
export const stopped = computed<PerSide<Stopped | null>>(() => snapshotSignal.value?.stopped ?? {});
/** The twins that are on. */
export const activeSides = computed<readonly Side[]>(() => sides.filter((side) => settings.value[side].on));

/** The curves of one twin. */
export interface Curves {
	readonly loss: Series;
	readonly accuracy: Series;
}

const emptyCurves = (): Record<Side, Curves> => ({
	a: { loss: new Series(), accuracy: new Series() },
	b: { loss: new Series(), accuracy: new Series() },
});

/** Each step's loss and accuracy. They are changed in place: read {@link snapshot} to follow them. */
export let curves = emptyCurves();
/** What the test set gave, in the order of the steps. */
export let tests: TestResult[] = [];

let client: Promise<EngineClient> | null = null;
/** The same, once it is there. */
let started: EngineClient | null = null;
/** The settings that the engine was given last. */
let configured: Settings | null = null;

/** The engine, started when first asked for. Its code is not part of the page's first load. */
export function useEngine(): Promise<EngineClient> {
	client ??= startEngine().catch((error: unknown) => {
		// Without its code there is no engine. The next to ask tries again.
		client = null;
		fail(`the engine did not load: ${error instanceof Error ? error.message : error}`);
		throw error;
	});
	return client;
}

/** What begins with the engine, before it is told anything else; anew with the next one, if the first is lost. */
const attached = new Set<(engine: EngineClient) => void>();

/**
 * Calls `begin` with the engine: now, or as soon as it is started, ahead of the first step. `begin` returns what ends it, and
 * so does this. It does not start the engine.
 */
export function withEngine(begin: (engine: EngineClient) => () => void): () => void {
	let end = (): void => {};
	const tell = (engine: EngineClient): void => {
		end();
		end = begin(engine);
	};
	attached.add(tell);
	if (started) tell(started);
	return () => {
		attached.delete(tell);
		end();
	};
}

async function startEngine(): Promise<EngineClient> {
	phaseSignal.value = "starting";
	const { EngineClient } = await import("../engine/client.ts");
	const made = new EngineClient(
		{
			opened(info) {
				engineInfo.value = info;
			},
			loading(received, total) {
				batch(() => {
					phaseSignal.value = "loading";
					progressSignal.value = total > 0 ? received / total : 0;
				});
			},
			configured: begin,
			snapshot: take,
			failed: fail,
		},
		readThreads(location.search),
	);
	started = made;
	for (const tell of attached) tell(made);
	return made;
}

/** The engine cannot do what it was told. The next command brings the settings again, to another engine if this one never was. */
function fail(message: string): void {
	configured = null;
	if (!engineInfo.value) {
		started?.close();
		started = null;
		client = null;
	}
	batch(() => {
		wantsToRun.value = false;
		phaseSignal.value = "failed";
		failureSignal.value = message;
	});
}

function begin(info: RunInfo): void {
	curves = emptyCurves();
	tests = [];
	batch(() => {
		runSignal.value = info;
		snapshotSignal.value = null;
		failureSignal.value = "";
		phaseSignal.value = "ready";
	});
}

function take(taken: Snapshot): void {
	// One of the run before, which was on its way.
	if (taken.generation !== runSignal.value?.generation) return;
	for (const side of sides) {
		for (const key of ["loss", "accuracy"] as const) {
			const values = taken.steps[key][side];
			if (values) for (const value of values) curves[side][key].push(value);
		}
	}
	tests.push(...taken.tests);
	batch(() => {
		snapshotSignal.value = taken;
		// While it loads, or after a failure, what comes is of the run before.
		if (phaseSignal.value !== "running" && phaseSignal.value !== "ready") return;
		if (isOver(taken)) wantsToRun.value = false;
		phaseSignal.value = taken.running ? "running" : "ready";
	});
}

/** Step of the run that it was started from. */
let startedFrom = 0;

/** Whether it paused by itself: at the step that the settings name, or as no twin trains any more. */
function isOver({ running, step: taken, stopped: why }: Snapshot): boolean {
	if (running) return false;
	const steps = runSignal.value?.settings.steps ?? 0;
	return (startedFrom < steps && taken >= steps) || activeSides.value.every((side) => why[side]);
}

/**
 * Gives the engine the settings, if it has other ones: the run then stands ready at step 0, untrained, for panels that look
 * at networks as they begin. `own` brings examples along.
 */
export async function configure(own?: OwnData): Promise<void> {
	await ready(own);
}

/** The engine, with the settings; null if it did not load, which is told where failures are. */
async function ready(own?: OwnData): Promise<EngineClient | null> {
	const isKnown = !own && configured === settings.value;
	if (!isKnown) {
		configured = settings.value;
		startedFrom = 0;
		failureSignal.value = "";
	}
	const engine = await useEngine().catch(() => null);
	if (!engine || isKnown) return engine;
	if (phaseSignal.value !== "starting") phaseSignal.value = "loading";
	engine.configure(settings.value, own);
	return engine;
}

/** Trains on, from wherever the run stands. */
export async function start(): Promise<void> {
	wantsToRun.value = true;
	startedFrom = step.value;
	const engine = await ready();
	// It may have been paused meanwhile.
	if (wantsToRun.value) engine?.start();
}

export async function pause(): Promise<void> {
	wantsToRun.value = false;
	(await useEngine().catch(() => null))?.pause();
}

/** A number of steps, then pause. */
export async function stepBy(count: number): Promise<void> {
	wantsToRun.value = false;
	(await ready())?.step(count);
}

/** Back to step 0, with the same settings. */
export async function reset(): Promise<void> {
	wantsToRun.value = false;
	startedFrom = 0;
	(await ready())?.reset();
}

/**
 * Changes settings. They make another run, which begins at step 0; one that was running goes on running under the new
 * settings.
 */
export function change(next: Settings): void {
	const isAwake = configured !== null || phaseSignal.value === "failed";
	settings.value = next;
	if (wantsToRun.value) void start();
	else if (isAwake) void configure();
}

/** Changes one twin's settings. */
export function changeTwin(side: Side, part: Partial<Settings[Side]>): void {
	const now = settings.value;
	change({ ...now, [side]: { ...now[side], ...part } });
}

/** Takes the user's own examples; the networks' settings stay, as far as they go with them. */
export function withOwn(own: OwnData): void {
	wantsToRun.value = false;
	settings.value = reconcile({ ...settings.value, data: { ...settings.value.data, kind: own.kind } });
	void configure(own);
}

/** Calls `listener` with every snapshot and at the start of each run. Returns a function that ends it. */
export function onSnapshot(listener: () => void): () => void {
	return effect(() => {
		void snapshotSignal.value;
		void runSignal.value;
		listener();
	});
}
