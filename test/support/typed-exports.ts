// The names that declarations promise at run time.

import { join } from "node:path";
import ts from "typescript";

/** The names of a module's values; what is itself a module has names in turn. */
export interface ExportNames {
	[name: string]: ExportNames | null;
}

/** What each of `modules` exports beside types, as TypeScript sees it from a project in `folder`. */
export function typedExports(folder: string, modules: readonly string[]): ExportNames[] {
	const options: ts.CompilerOptions = {
		module: ts.ModuleKind.NodeNext,
		moduleResolution: ts.ModuleResolutionKind.NodeNext,
		target: ts.ScriptTarget.ES2022,
		types: [],
	};
	const file = join(folder, "names.mts");
	const host = ts.createCompilerHost(options);
	const { getSourceFile, fileExists } = host;
	const text = modules.map((name, i) => `import * as e${i} from "${name}";`).join("\n");
	host.fileExists = (name) => name === file || fileExists(name);
	host.getSourceFile = (name, language, ...rest) =>
		name === file ? ts.createSourceFile(name, text, language) : getSourceFile(name, language, ...rest);
	const program = ts.createProgram([file], options, host);
	const checker = program.getTypeChecker();

	const namesOf = (module: ts.Symbol): ExportNames =>
		Object.fromEntries(
			checker.getExportsOfModule(module).flatMap((symbol) => {
				const value = valueBehind(symbol);
				return value ? [[symbol.name, value.flags & ts.SymbolFlags.ValueModule ? namesOf(value) : null]] : [];
			}),
		);
	/** What `symbol` stands for; null if that is a type, or it was exported as one. */
	const valueBehind = (symbol: ts.Symbol): ts.Symbol | null => {
		if (!(symbol.flags & ts.SymbolFlags.Alias)) return symbol.flags & ts.SymbolFlags.Value ? symbol : null;
		const typeOnly = symbol.declarations?.some((node) => ts.isTypeOnlyImportOrExportDeclaration(node));
		const next = checker.getImmediateAliasedSymbol(symbol);
		return typeOnly || !next ? null : valueBehind(next);
	};

	const imports = program.getSourceFile(file)?.statements.filter(ts.isImportDeclaration) ?? [];
	return imports.map(({ moduleSpecifier }) => {
		const module = checker.getSymbolAtLocation(moduleSpecifier);
		if (!module) throw new Error(`${moduleSpecifier.getText()} cannot be resolved from ${folder}`);
		return namesOf(module);
	});
}
