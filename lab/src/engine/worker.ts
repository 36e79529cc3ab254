// The worker's entry. The page's first message brings a port, over which everything else goes.

import { Engine } from "./engine.ts";
import type { Command } from "./protocol.ts";

addEventListener(
	"message",
	({ ports: [port] }: MessageEvent) => {
		const engine = new Engine((report, transfer) => port.postMessage(report, transfer));
		port.onmessage = ({ data }: MessageEvent<Command>) => engine.receive(data);
	},
	{ once: true },
);
