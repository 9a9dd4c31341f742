/** An ONNX graph in memory, and its encoding as a model file (onnx.proto, IR version 10, opset 21). */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { TypedArray } from '../dtype.js';
import type { Call } from './ir.js';

/** Element types of ONNX tensors (`TensorProto.DataType`) that lowerings use. */
export const elementType = { float32: 1, uint8: 2, int32: 6, int64: 7, bool: 9, float64: 11, uint32: 12, uint64: 13 } as const;
/** Name of an ONNX element type. */
export type ElementType = keyof typeof elementType;

/** An attribute: an integer, integers, a string, or a float written as `{ float: x }`; a list of floats as `{ floats }`, a graph as `{ graph }`. */
export type OnnxAttribute =
  number | readonly number[] | string | { readonly float: number } | { readonly floats: readonly number[] } | { readonly graph: OnnxGraph };

/** One ONNX node. `label` becomes the node's name: it tells profiles and errors which kernel the node belongs to. */
export interface OnnxNode {
  readonly op: string;
  readonly domain: '' | 'com.microsoft' | 'orbit';
  inputs: string[];
  outputs: string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
  readonly label: string;
  /** What it means when this node fails at run time, in tfjs's words where tfjs has some. */
  readonly failure?: string;
  /** The kernel call that the node was lowered from: names its part of the model in profiles and errors. */
  readonly call?: Call | undefined;
}

/** Name, element type and shape of a graph input or output. */
export interface OnnxValueInfo {
  readonly name: string;
  readonly type: ElementType;
  readonly shape: readonly number[];
}

/** A constant of the graph. */
export interface OnnxInitializer extends OnnxValueInfo {
  readonly data: TypedArray | BigInt64Array | Uint32Array | Float64Array;
}

/** A whole ONNX graph. */
export interface OnnxGraph {
  readonly name: string;
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  readonly initializers: readonly OnnxInitializer[];
  readonly nodes: readonly OnnxNode[];
}

/** The opset that graphs are written for. */
export const OPSET = 21;

/** Encodes a graph as a valid ONNX model. */
export function encodeModel(graph: OnnxGraph): Uint8Array {
  const w = new BinaryWriter();
  w.tag(1, WireType.Varint).int64(10); // ir_version
  w.tag(2, WireType.LengthDelimited).string('orbit-ts');
  message(w, 7, () => writeGraph(w, graph));
  const domains: [string, number][] = [
    ['', OPSET],
    ['com.microsoft', 1],
  ];
  if (usesNative(graph)) domains.push(['orbit', 1]); // the native kernels
  for (const [domain, version] of domains) {
    message(w, 8, () => {
      w.tag(1, WireType.LengthDelimited).string(domain);
      w.tag(2, WireType.Varint).int64(version);
    });
  }
  return w.finish();
}

/** True when native kernels compute a part of the graph, or of one inside it. */
export function usesNative(graph: OnnxGraph): boolean {
  return graph.nodes.some(
    (n) => n.domain === 'orbit' || Object.values(n.attributes).some((a) => typeof a === 'object' && 'graph' in a && usesNative(a.graph)),
  );
}

function message(w: BinaryWriter, field: number, write: () => void): void {
  w.tag(field, WireType.LengthDelimited).fork();
  write();
  w.join();
}

function writeGraph(w: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message(w, 1, () => writeNode(w, node));
  w.tag(2, WireType.LengthDelimited).string(graph.name);
  for (const constant of graph.initializers) message(w, 5, () => writeTensor(w, constant));
  for (const info of graph.inputs) message(w, 11, () => writeValueInfo(w, info));
  for (const info of graph.outputs) message(w, 12, () => writeValueInfo(w, info));
}

function writeNode(w: BinaryWriter, node: OnnxNode): void {
  for (const name of node.inputs) w.tag(1, WireType.LengthDelimited).string(name);
  for (const name of node.outputs) w.tag(2, WireType.LengthDelimited).string(name);
  w.tag(3, WireType.LengthDelimited).string(node.label);
  w.tag(4, WireType.LengthDelimited).string(node.op);
  for (const [name, value] of Object.entries(node.attributes)) message(w, 5, () => writeAttribute(w, name, value));
  if (node.domain !== '') w.tag(7, WireType.LengthDelimited).string(node.domain);
}

function writeAttribute(w: BinaryWriter, name: string, value: OnnxAttribute): void {
  w.tag(1, WireType.LengthDelimited).string(name);
  let type: number;
  if (typeof value === 'number') {
    w.tag(3, WireType.Varint).int64(value);
    type = 2;
  } else if (typeof value === 'string') {
    w.tag(4, WireType.LengthDelimited).bytes(new TextEncoder().encode(value));
    type = 3;
  } else if ('float' in value) {
    w.tag(2, WireType.Bit32).float(value.float);
    type = 1;
  } else if ('graph' in value) {
    message(w, 6, () => writeGraph(w, value.graph));
    type = 5;
  } else if ('floats' in value) {
    for (const x of value.floats) w.tag(7, WireType.Bit32).float(x);
    type = 6;
  } else {
    for (const x of value) w.tag(8, WireType.Varint).int64(x);
    type = 7;
  }
  w.tag(20, WireType.Varint).int32(type);
}

function writeTensor(w: BinaryWriter, tensor: OnnxInitializer): void {
  for (const d of tensor.shape) w.tag(1, WireType.Varint).int64(d);
  w.tag(2, WireType.Varint).int32(elementType[tensor.type]);
  w.tag(8, WireType.LengthDelimited).string(tensor.name);
  const { buffer, byteOffset, byteLength } = tensor.data;
  w.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength));
}

function writeValueInfo(w: BinaryWriter, info: OnnxValueInfo): void {
  w.tag(1, WireType.LengthDelimited).string(info.name);
  message(w, 2, () =>
    message(w, 1, () => {
      w.tag(1, WireType.Varint).int32(elementType[info.type]);
      message(w, 2, () => {
        for (const d of info.shape) message(w, 1, () => w.tag(1, WireType.Varint).int64(d));
      });
    }),
  );
}
