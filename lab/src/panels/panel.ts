// What a panel is to the page: a section with a title, and a view that is loaded when it comes near the screen.

import type { ComponentType } from "preact";
import type { Text } from "../i18n/i18n.ts";

/** What every view is given. */
export interface PanelProps {
	/** Whether any of it is on the screen: subscribe to topics only then. */
	readonly visible: boolean;
}

export interface Panel {
	/** Its folder under panels/, and its anchor in the address. */
	readonly id: string;
	/** Its heading, and its name in the table of contents. */
	readonly title: Text;
	/** One or two sentences under the heading: what is to be seen, and how to read it. */
	readonly lead: Text;
	/** Where it stands among the panels: small numbers first. */
	readonly order: number;
	/** Whether it has anything to show for the settings; read signals in it. Default: always. */
	readonly applies?: () => boolean;
	/** Whether it keeps the past of a run: then its view is there from the first step on, wherever the page is scrolled to. */
	readonly records?: boolean;
	/** Loads the view. */
	readonly load: () => Promise<{ readonly View: ComponentType<PanelProps> }>;
}
