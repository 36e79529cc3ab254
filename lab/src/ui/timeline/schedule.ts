// Drawing with the frames: what is asked for is drawn once, with the next frame, and what does not fit into a few
// milliseconds waits for the one after.

/** What is drawn is painted later in the frame, which takes as long again and longer. */
const BUDGET_MILLISECONDS = 2;

const queue = new Set<() => void>();
let isAsked = false;

/** Draws with one of the next frames; asking again before then changes nothing. */
export function requestDraw(draw: () => void): void {
	queue.add(draw);
	ask();
}

/** Forgets what was asked for. */
export function cancelDraw(draw: () => void): void {
	queue.delete(draw);
}

function ask(): void {
	if (isAsked || queue.size === 0) return;
	isAsked = true;
	requestAnimationFrame(run);
}

function run(): void {
	isAsked = false;
	const started = performance.now();
	for (const draw of queue) {
		queue.delete(draw);
		draw();
		if (performance.now() - started > BUDGET_MILLISECONDS) break;
	}
	ask();
}
