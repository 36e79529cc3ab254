// Jumps to panels. A panel grows when its code comes, so what it is jumped to stays where it belongs only if all panels
// above it are loaded, and it is brought back until they have settled, or until somebody moves the page.

import { signal } from "@preact/signals";

/** The panel that was jumped to: it and those above it are to be loaded. "" for none. */
export const jumpedTo = signal("");

/** How long nothing may grow before the page counts as settled. */
const SETTLED_MILLISECONDS = 3000;
/** What people move a page with. */
const moves = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

let end = (): void => {};

/** Jumps to the panel of the address, and follows links to panels from then on. */
export function startJumps(): void {
	document.addEventListener("click", (event) => {
		if (event.defaultPrevented || event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return;
		const link = event.target instanceof Element ? event.target.closest('a[href^="#"]') : null;
		if (link) jump(link.getAttribute("href") ?? "");
	});
	jump(location.hash);
}

function jump(hash: string): void {
	end();
	const target = document.getElementById(hash.slice(1));
	if (!target?.classList.contains("panel")) return;
	jumpedTo.value = target.id;
	let timer = 0;
	const settle = (): void => {
		clearTimeout(timer);
		timer = window.setTimeout(() => (isWaiting(target) ? settle() : end()), SETTLED_MILLISECONDS);
	};
	const sizes = new ResizeObserver(() => {
		target.scrollIntoView();
		settle();
	});
	// The page as a whole: notices above the panels count as well.
	for (const part of [document.body, ...panelsOf(target)]) sizes.observe(part);
	const stopped = new AbortController();
	end = () => {
		sizes.disconnect();
		clearTimeout(timer);
		stopped.abort();
	};
	for (const move of moves) addEventListener(move, () => end(), { signal: stopped.signal, passive: true });
}

function panelsOf(target: Element): Element[] {
	return [...(target.parentElement?.querySelectorAll(".panel") ?? [])];
}

/** Whether the code of `target` or of a panel above it is on its way. */
function isWaiting(target: Element): boolean {
	const panels = panelsOf(target);
	return panels.slice(0, panels.indexOf(target) + 1).some((panel) => panel.querySelector(".panel-wait"));
}
