// Imports point one way. Each line below is a layer and may import the lines above it, nothing below and nothing
// beside: so a tensor knows no op, an op knows no layer, and the file formats know nothing but errors. Types may
// be imported from anywhere (they are gone at run time); tests may import anything.

const layers = [
	["errors"],
	["node", "plot", "random", "trace"],
	["communicator"],
	["mpi"],
	["tensor"],
	["backend"],
	["autograd/tape"],
	["ops"],
	["autograd"],
	["nn"],
	["optim"],
	["data", "model-files"],
	["presets", "train"],
	["surgery"],
	["onnx"],
	["compare"],
	["index"],
	["cli"],
];

/** What a layer may import at most, where that is less than everything above it. */
const only = { "model-files": ["errors", "node"] };

/** Imports that are gone at run time. */
const types = ["type-only", "type-import"];

const rank = (layer) => layers.findIndex((names) => names.includes(layer));
const names = layers.flat();

/** The files of a layer: src/errors.ts or src/ops/…; a layer within a folder belongs to itself, not to the folder. */
function files(layer) {
	const inner = names.filter((name) => name.startsWith(`${layer}/`)).map((name) => name.slice(layer.length + 1));
	const exceptInner = inner.length > 0 ? `(?!(?:${inner.join("|")})[./])` : "";
	return `src/${layer}(?:\\.(?:ts|mjs)$|/${exceptInner})`;
}

const anyOf = (list) => `^(?:${list.map(files).join("|")})`;

/** @type {import("dependency-cruiser").IForbiddenRuleType[]} */
const oneWay = names.flatMap((layer) => {
	const allowed = only[layer] ?? names.filter((name) => rank(name) < rank(layer));
	const forbidden = names.filter((name) => name !== layer && !allowed.includes(name));
	if (forbidden.length === 0) return [];
	return {
		name: `one-way: ${layer}`,
		comment: `src/${layer} may import ${allowed.join(", ") || "nothing"}`,
		severity: "error",
		from: { path: anyOf([layer]) },
		to: { path: anyOf(forbidden), dependencyTypesNot: types },
	};
});

/** @type {import("dependency-cruiser").IConfiguration} */
module.exports = {
	forbidden: [
		...oneWay,
		{
			name: "every file has a layer",
			comment: "a new folder under src/ gets its place in .dependency-cruiser.cjs",
			severity: "error",
			from: { path: "^src/", pathNot: anyOf(names) },
			to: {},
		},
		{
			name: "no cycles",
			severity: "error",
			from: {},
			to: { circular: true, viaOnly: { dependencyTypesNot: types } },
		},
		{
			name: "every import exists",
			severity: "error",
			from: {},
			to: { couldNotResolve: true, dependencyTypesNot: types },
		},
		{
			name: "runs in browsers",
			comment: "outside the command line, Node's modules are reached through process.getBuiltinModule",
			severity: "error",
			from: { pathNot: "^src/cli/" },
			to: { dependencyTypes: ["core"], dependencyTypesNot: types },
		},
		{
			name: "no development dependencies",
			comment: "what the package imports is in its dependencies",
			severity: "error",
			from: {},
			to: { dependencyTypes: ["npm-dev", "npm-no-pkg", "npm-unknown"], dependencyTypesNot: [...types, "npm-peer"] },
		},
		{
			name: "dependencies are for the command line",
			comment: "the library itself runs in browsers and has no dependencies, but for ONNX's protobuf",
			severity: "error",
			from: { pathNot: "^src/(cli|onnx|model-files/onnx|mpi)/" },
			to: { dependencyTypes: ["npm"] },
		},
		{
			name: "ONNX has an entry of its own",
			comment: "evenkeel/onnx: who imports another entry does not load protobuf",
			severity: "error",
			from: { path: ["^src/index\\.ts$", "^src/[^/]+/index\\.ts$"], pathNot: "^src/onnx/" },
			to: { path: "^src/(onnx|model-files/onnx)/", reachable: true },
		},
		{
			name: "nothing imports tests",
			severity: "error",
			from: {},
			to: { path: "^(test/|bench/|examples/)|\\.(test|bench)\\.ts$" },
		},
	],
	options: {
		doNotFollow: { path: "^node_modules/" },
		// Conformance runners belong to the tests, which they sit beside.
		exclude: { path: "\\.(test|bench)\\.ts$|/conformance\\.ts$|\\.as\\.ts$" },
		// Reads the imports from the TypeScript itself, so that those of types are known as such.
		tsPreCompilationDeps: true,
		tsConfig: { fileName: "tsconfig.json" },
		enhancedResolveOptions: {
			extensions: [".ts", ".mjs", ".d.ts"],
			exportsFields: ["exports"],
			conditionNames: ["import"],
		},
	},
};
