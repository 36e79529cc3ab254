// What the low end of the shared memory holds: the control block through which jobs are handed to
// workers. Plain JavaScript, since the worker entry runs unbuilt in Node and in the browser.

/** Bytes kept for the control block; the heap starts here. */
export const HEAP_START = 8192;

/** Most arguments a kernel may take, `begin`, `end` and `scratch` not counted. */
export const MAX_ARGS = 64;

/** Byte offset of the arguments, as float64: exact for pointers, sizes and float32 values. */
export const ARGS = 4096;

// Indices into the control block as int32. What different threads write is a cache line apart.
/** Even while a job may be entered, odd while the next one is being written. */
export const SEQ = 0;
/** Workers inside the job: the main thread writes the next one only at zero. */
export const ACTIVE = 32;
/** Workers asleep on SEQ. */
export const SLEEPERS = 96;
/** Set to 1 to end the workers of this generation. */
export const STOP = 128;
/** The number of a worker whose kernel trapped, or 0. */
export const FAILED = 129;
/** Always 0: waiting for it to change, with a limit, is a nap. */
export const NAP = 130;
/** The job: kernel number, argument count, items, items a chunk, scratch address and bytes a thread. */
export const KERNEL = 160;
export const ARG_COUNT = 161;
export const TOTAL = 162;
export const GRAIN = 163;
export const SCRATCH = 164;
export const SCRATCH_BYTES = 165;
/** Into how many runs of chunks the job is cut: one for each thread, up to MAX_RUNS. */
export const RUNS = 166;
export const MAX_RUNS = 32;
/** The next chunk to take of each run, a cache line apart. */
export const TICKETS = 512;
export const TICKET_STEP = 16;
