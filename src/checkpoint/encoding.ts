/**
 * State trees as JSON: tensors go to the files and leave a reference `{"$tensor": [file, name]}`, numbers that JSON lacks
 * become `{"$number": "NaN"}`, and a key that starts with `$` gets a second one.
 */
import { CheckpointError } from '../errors.js';
import { elementCount, elementTypes, isStateDType } from './dtypes.js';
import { isStateTensor, type StateDType, type StateTensor, type StateValue } from './state.js';

/** A JSON value. */
export type Json = number | string | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** Where a tensor was put. */
export interface TensorReference {
  /** File name within the checkpoint's directory. */
  readonly file: string;
  /** Name within the file. */
  readonly name: string;
}

/** Takes a tensor with its path in the tree, says where it went. `fresh`: nobody else holds its array. */
export type TensorStore = (tensor: StateTensor, path: string, fresh: boolean) => TensorReference;

/** Turns a state into JSON. `store` takes each tensor; tensors and variables of tfjs are read now. */
export function encodeState(value: unknown, path: string, store: TensorStore): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $number: Object.is(value, -0) ? '-0' : String(value) };
    case 'object':
      if (value === null) return null;
      break;
    default:
      throw unsupported(path, `a ${typeof value}`);
  }
  const tensor = asTensor(value, path);
  if (tensor) {
    const { file, name } = store(tensor, path, !isStateTensor(value));
    return { $tensor: [file, name] };
  }
  if (Array.isArray(value)) return value.map((v, i) => encodeState(v, `${path}/${i}`, store));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== null && prototype !== Object.prototype) throw unsupported(path, `a ${value.constructor?.name ?? 'class instance'}`);
  const entries = Object.entries(value).filter(([, v]) => v !== undefined);
  return Object.fromEntries(entries.map(([k, v]) => [k.startsWith('$') ? `$${k}` : k, encodeState(v, `${path}/${k}`, store)]));
}

/** Turns JSON back into a state. `load` gives the tensor of a reference. */
export function decodeState(json: Json, load: (reference: TensorReference) => StateTensor): StateValue {
  if (typeof json !== 'object' || json === null) return json;
  if (isJsonArray(json)) return json.map((v) => decodeState(v, load));
  const reference = tensorReference(json);
  if (reference) return load(reference);
  const number = json['$number'];
  if (typeof number === 'string') return Number(number);
  return Object.fromEntries(Object.entries(json).map(([k, v]) => [k.startsWith('$') ? k.slice(1) : k, decodeState(v, load)]));
}

/** The reference that a JSON node is, undefined for any other node. */
export function tensorReference(json: Json | undefined): TensorReference | undefined {
  if (typeof json !== 'object' || json === null || isJsonArray(json)) return undefined;
  const pair = json['$tensor'];
  return Array.isArray(pair) ? { file: String(pair[0]), name: String(pair[1]) } : undefined;
}

/** All references below a node. */
export function tensorReferences(json: Json): TensorReference[] {
  if (typeof json !== 'object' || json === null) return [];
  const own = tensorReference(json);
  return own ? [own] : Object.values(json as Record<string, Json>).flatMap(tensorReferences);
}

function isJsonArray(json: Json): json is readonly Json[] {
  return Array.isArray(json);
}

/** A state tensor, or a tensor or variable of tfjs read now; undefined for anything else. Checks that it can be stored. */
export function asTensor(value: object, path: string): StateTensor | undefined {
  const t = value as { dtype?: unknown; shape?: unknown; dataSync?: () => unknown };
  const live = typeof t.dataSync === 'function' && typeof t.dtype === 'string' && Array.isArray(t.shape);
  if (!live && !isStateTensor(value)) return undefined;
  const { dtype, shape } = value as StateTensor;
  if (!isStateDType(dtype)) {
    throw new CheckpointError(
      `Cannot checkpoint "${path}": tensors of dtype ${String(dtype)} are not supported (supported: ${Object.keys(elementTypes).join(', ')}).`,
    );
  }
  const data = live ? typed(t.dataSync!(), dtype) : (value as StateTensor).data;
  if (!(data instanceof elementTypes[dtype].array)) {
    throw new CheckpointError(
      `Cannot checkpoint "${path}": a ${dtype} tensor needs its data in a ${elementTypes[dtype].array.name}, found ${className(data)}.`,
    );
  }
  if (data.length !== elementCount(shape)) {
    throw new CheckpointError(
      `Cannot checkpoint "${path}": it has ${data.length} elements, its shape [${shape.join(',')}] needs ${elementCount(shape)}.`,
    );
  }
  return { dtype, shape, data };
}

/** tfjs's own backend keeps the result of some kernels in plain arrays. */
function typed(data: unknown, dtype: StateDType): unknown {
  return Array.isArray(data) ? Object.assign(new elementTypes[dtype].array(data.length), data) : data;
}

function className(x: unknown): string {
  return typeof x === 'object' && x !== null ? x.constructor.name : typeof x;
}

function unsupported(path: string, what: string): CheckpointError {
  return new CheckpointError(
    `Cannot checkpoint "${path}": ${what} is not state. States hold numbers, strings, booleans, null, tensors {dtype, shape, data}, and arrays and records of these.`,
  );
}
