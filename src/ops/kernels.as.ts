// Every kernel of the WebAssembly build: one line a folder.

export * from "./elementwise/kernel.as";
