// Text that came from anywhere, as text in HTML and SVG, in attributes too.

const entities: Readonly<Record<string, string>> = {
	"&": "&amp;",
	"<": "&lt;",
	">": "&gt;",
	'"': "&quot;",
	"'": "&#39;",
};

/** `text` with everything that markup could be made of taken literally; control characters become `�`. */
export function escapeHtml(text: string): string {
	return text.replace(/[&<>"']/g, (character) => entities[character]).replace(/\p{Cc}/gu, "\uFFFD");
}
