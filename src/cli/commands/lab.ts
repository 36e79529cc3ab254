// evenkeel lab: the web lab, served on this machine.

import { spawn } from "node:child_process";
import type { Command } from "commander";
import { EvenkeelError } from "../../errors.ts";
import type { CliCommand } from "../command.ts";
import { packageFolder } from "../lab/data-files.ts";
import { serveLab } from "../lab/server.ts";
import { wholeNumber } from "../ui/options.ts";
import type { Terminal } from "../ui/terminal.ts";

interface Flags {
	port: number;
	host?: string | true;
	open?: boolean;
}

export const lab: CliCommand = {
	name: "lab",
	examples: [
		["evenkeel lab --open", "serve the lab on this machine and open it in the browser"],
		["evenkeel lab --port 0", "on any port that is free"],
	],
	define(command: Command, terminal: Terminal): void {
		command
			.summary("see batch normalization work, live, in the browser")
			.description(
				"Serve the web lab: a page that trains two networks side by side, in the browser, and shows what normalization does\n" +
					"to them. Nothing leaves this machine.",
			)
			.option("--port <n>", "the port; 0 for any that is free", wholeNumber(0, 65535), 4680)
			.option("--host [address]", "let other machines in: listen at this address, or at all (there, on one thread)")
			.option("--open", "open it in the browser")
			.action((flags: Flags) => run(flags, terminal));
	},
};

async function run({ port, host, open }: Flags, terminal: Terminal): Promise<void> {
	const folder = packageFolder("dist/lab");
	if (!folder) throw new EvenkeelError("the lab is not built; run npm run build in this clone");
	const server = await serveLab({ folder, port, host: host === true ? "0.0.0.0" : (host ?? "127.0.0.1") });
	terminal.out.write(`The lab is at ${server.url} (Ctrl-C ends it)\n`);
	if (host !== undefined) {
		terminal.err.write(
			"Other machines reach it over plain http, where browsers share no memory between workers: it trains on one thread\n" +
				"there. Behind a proxy with https it uses all cores.\n",
		);
	}
	if (open) openBrowser(server.url);
	await interrupted();
	await server.close();
}

function interrupted(): Promise<void> {
	return new Promise((resolve) => {
		for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve());
	});
}

/** Where there is no browser to open, the address stands in the terminal. */
function openBrowser(url: string): void {
	const [command, ...args] =
		process.platform === "darwin"
			? ["open", url]
			: process.platform === "win32"
				? ["cmd", "/c", "start", "", url]
				: ["xdg-open", url];
	spawn(command, args, { stdio: "ignore", detached: true })
		.on("error", () => {})
		.unref();
}
