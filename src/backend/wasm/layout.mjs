// What the low end of the shared memory holds: the control block and the queue through which jobs are handed to
// workers. Plain JavaScript, since the worker entry runs unbuilt in Node and in the browser.

/** Most arguments a kernel may take, `begin`, `end` and `scratch` not counted. */
export const MAX_ARGS = 64;

// Indices into the control block as int32. What different threads write is a cache line apart.
/** Counts jobs published and pools stopped: what workers sleep on. */
export const SIGNAL = 0;
/** The number of the job published last. */
export const LAST = 1;
/** Workers asleep on SIGNAL. */
export const SLEEPERS = 16;
/** The last generation of workers that has been told to end. */
export const STOP = 32;
/** Always 0: waiting for it to change, with a limit, is a nap. */
export const NAP = 33;

/** Jobs that may be under way or wait for their turn; a power of two. Job `number` is in place `number & (SLOTS - 1)`. */
export const SLOTS = 32;
/** Where the places start. The kernels' constants stand before them, from byte 1024 on; each thread's instance writes the same ones. */
export const QUEUE = 1024;
/** Into how many runs of chunks a job is cut at most. */
export const MAX_RUNS = 16;
/** The next chunk to take of each run, a cache line apart. */
export const TICKETS = 48;
export const TICKET_STEP = 16;
export const SLOT = TICKETS + MAX_RUNS * TICKET_STEP;

// Within a place:
/** The number of its job; something else while that is written. */
export const NUMBER = 0;
/** The job: kernel number, argument count, items, items a chunk, scratch address and bytes a thread. */
export const KERNEL = 1;
export const ARG_COUNT = 2;
export const TOTAL = 3;
export const GRAIN = 4;
export const SCRATCH = 5;
export const SCRATCH_BYTES = 6;
/** Into how many runs of chunks the job is cut: one for each thread, up to MAX_RUNS. */
export const RUNS = 7;
/** Workers inside the job: the main thread writes another in its place only at zero. */
export const ACTIVE = 16;
/** Chunks that are not done. */
export const LEFT = 32;
/** The number of a worker whose kernel trapped, or 0. */
export const FAILED = 33;

/** Byte offset of the arguments of all places, as float64: exact for pointers, sizes and float32 values. */
export const ARGS = 4 * (QUEUE + SLOTS * SLOT);

/** Bytes kept for all this; the heap starts here. */
export const HEAP_START = Math.ceil((ARGS + SLOTS * MAX_ARGS * 8) / 4096) * 4096;

/**
 * Where in the control block the place of a job starts.
 * @param {number} number
 */
export function slotOf(number) {
	return QUEUE + (number & (SLOTS - 1)) * SLOT;
}
