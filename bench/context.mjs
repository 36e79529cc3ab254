// What every suite is given and what it hands back.

/**
 * @typedef {object} Context
 * @property {string} folder where the data lies, see data.mjs
 * @property {number} seconds length of a window
 * @property {number} windows
 * @property {number} threads
 * @property {boolean} quick
 * @property {import("./side.mjs").SideName[]} peers
 * @property {(line: string) => void} say progress, for people
 *
 * @typedef {object} Section a table of the report
 * @property {string} id names its files and its place in docs/benchmarks.md
 * @property {string} title
 * @property {string[]} head
 * @property {string[][]} rows
 * @property {string[]} notes
 * @property {unknown} data the figures behind the table
 */

export {};
