// A network of several machines on one: network namespaces, each with an address and a TCP stack of its own, on a bridge. Needs
// Linux, root and iproute2.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const prefix = "10.99.0.";
const bridge = "ekbench";

/** @param {string} line */
function ip(line) {
	const { status, stderr, error } = spawnSync("ip", line.split(" "), { encoding: "utf8" });
	if (status !== 0) throw new Error(`ip ${line}: ${error?.message ?? stderr.trim()}`);
}

/** Makes `count` namespaces. Returns what runs ranks in them, and what takes them away. @param {number} count */
export function openNetwork(count) {
	const folder = mkdtempSync(join(tmpdir(), "evenkeel-network-"));
	const agent = join(folder, "agent.sh");
	const hosts = Array.from({ length: count }, (_, i) => `${prefix}${i + 1}`);
	const close = () => {
		for (const line of [...hosts.map((host) => `netns del ${host}`), `link del ${bridge}`]) {
			spawnSync("ip", line.split(" "));
		}
		rmSync(folder, { recursive: true, force: true });
	};
	try {
		ip(`link add ${bridge} type bridge`);
		ip(`link set ${bridge} up`);
		for (const [i, host] of hosts.entries()) {
			ip(`netns add ${host}`);
			ip(`link add ekb${i} type veth peer name eth0 netns ${host}`);
			ip(`link set ekb${i} master ${bridge}`);
			ip(`link set ekb${i} up`);
			ip(`-n ${host} addr add ${host}/24 dev eth0`);
			ip(`-n ${host} link set eth0 up`);
			ip(`-n ${host} link set lo up`);
		}
	} catch (error) {
		close();
		throw error;
	}
	// What mpirun starts on another machine it starts through ssh; here the host is the namespace's name.
	writeFileSync(agent, '#!/bin/sh\nhost=$1; shift\nexec ip netns exec "$host" /bin/sh -c "$*"\n', { mode: 0o755 });
	/** The command that runs what follows on `ranks` ranks, a namespace each. @param {number} ranks */
	const launch = (ranks) => [
		...["ip", "netns", "exec", hosts[0], "mpirun", "--allow-run-as-root", "-n", String(ranks)],
		...["-H", hosts.slice(0, ranks).map((host) => `${host}:1`).join(","), "--bind-to", "none"],
		...["--mca", "plm_rsh_agent", agent, "--mca", "oob_tcp_if_include", `${prefix}0/24`],
		...["--mca", "pml", "ob1", "--mca", "btl", "tcp,self", "--mca", "btl_tcp_if_include", `${prefix}0/24`],
	];
	return { launch, close };
}
