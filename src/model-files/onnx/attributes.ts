// Attributes of nodes, by name, with the defaults that the operator's definition gives.

import { create } from "@bufbuild/protobuf";
import { check } from "../../errors.ts";
import { quote } from "../show.ts";
import {
	type AttributeProto,
	AttributeProtoSchema,
	AttributeProto_AttributeType as AttributeType,
	type NodeProto,
	type TensorProto,
} from "./generated/onnx-ml_pb.ts";
import { nodeLabel } from "./topology.ts";

function find(node: NodeProto, name: string, type: AttributeType): AttributeProto | undefined {
	const found = node.attribute.find((attribute) => attribute.name === name);
	// Files from before IR version 2 do not say the type.
	check(
		!found || found.type === type || found.type === AttributeType.UNDEFINED,
		() => `${nodeLabel(node)}: attribute ${quote(name)} is of type ${found?.type}, expected ${type}`,
	);
	check(
		!found?.refAttrName,
		() => `${nodeLabel(node)}: attribute ${quote(name)} stands for a function's; inline the function`,
	);
	return found;
}

export function hasAttribute(node: NodeProto, name: string): boolean {
	return node.attribute.some((attribute) => attribute.name === name);
}

export function intAttribute(node: NodeProto, name: string, missing: number): number {
	const found = find(node, name, AttributeType.INT);
	return found ? Number(found.i) : missing;
}

export function floatAttribute(node: NodeProto, name: string, missing: number): number {
	return find(node, name, AttributeType.FLOAT)?.f ?? missing;
}

export function stringAttribute(node: NodeProto, name: string, missing: string): string {
	const found = find(node, name, AttributeType.STRING);
	return found ? new TextDecoder().decode(found.s) : missing;
}

export function intsAttribute(node: NodeProto, name: string): number[] | undefined {
	return find(node, name, AttributeType.INTS)?.ints.map(Number);
}

export function floatsAttribute(node: NodeProto, name: string): number[] | undefined {
	return find(node, name, AttributeType.FLOATS)?.floats;
}

export function tensorAttribute(node: NodeProto, name: string): TensorProto | undefined {
	return find(node, name, AttributeType.TENSOR)?.t;
}

/** A value for {@link makeAttribute}: whole numbers as bigint, other numbers as number. */
export type AttributeValue = bigint | number | string | readonly bigint[] | readonly number[] | TensorProto;

/** An attribute of the type that `value` has. An empty list is one of integers. */
export function makeAttribute(name: string, value: AttributeValue): AttributeProto {
	return create(AttributeProtoSchema, { name, ...typed(value) });
}

function typed(value: AttributeValue) {
	if (typeof value === "bigint") return { type: AttributeType.INT, i: value };
	if (typeof value === "number") return { type: AttributeType.FLOAT, f: value };
	if (typeof value === "string") return { type: AttributeType.STRING, s: new TextEncoder().encode(value) };
	if (!Array.isArray(value)) return { type: AttributeType.TENSOR, t: value as TensorProto };
	const floats = value.filter((one) => typeof one === "number");
	if (floats.length > 0) return { type: AttributeType.FLOATS, floats };
	return { type: AttributeType.INTS, ints: value.map(BigInt) };
}
