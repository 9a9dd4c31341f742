/** What went wrong in a run, in terms of the user's function instead of ONNX Runtime's nodes. */
import { OrbitError } from '../../errors.js';
import { formatSpec } from '../dtype.js';
import type { Call } from '../graph/ir.js';
import type { OnnxNode } from '../graph/onnx.js';
import { placeText } from '../trace/origin.js';

/**
 * An error that names the tfjs kernel whose node failed with its operands, the part of the model, the compiled function and
 * the line.
 *
 * @param cause ONNX Runtime's own error; kept as the cause.
 * @param name the compiled function's name.
 * @param nodes the graph's nodes by their labels.
 */
export function runError(cause: Error, name: string, nodes: ReadonlyMap<string, OnnxNode>): OrbitError {
  // A node inside a loop fails together with the loop: the innermost, named last, is the one at fault.
  const found = [...cause.message.matchAll(/while running (\S+) node\. Name:'([^']*)' Status Message: /g)].at(-1);
  if (found === undefined) return new OrbitError(`${memory(cause.message) ?? cause.message}${placeText(name, undefined)}`, { cause });
  const [, op, label] = found as unknown as [string, string, string];
  const message = cause.message.slice(found.index + found[0].length);
  const node = nodes.get(label);
  const call = node?.call;
  const who = call === undefined ? `ONNX Runtime's operator ${op}` : call.kernel;
  const operands = call === undefined ? '' : `\n  in ${signature(call)}`;
  return new OrbitError(`${who}: ${node?.failure ?? explain(message)}${operands}${placeText(name, call?.origin)}`, { cause });
}

/** `GatherV2(x: float32[4,2], indices: int32[3])`. */
function signature(call: Call): string {
  return `${call.kernel}(${call.inputs.map((v, i) => `${call.inputNames[i]}: ${formatSpec(v)}`).join(', ')})`;
}

/** Index errors in tfjs's words; anything else as ONNX Runtime says it, without the place in its source code. */
function explain(message: string): string {
  const bounds = /idx=(-?\d+) must be within the inclusive range \[-?\d+,(-?\d+)\]/.exec(message);
  if (bounds !== null) return `the index value ${signed(bounds[1]!)} is not in [0, ${bounds[2]!}]`;
  const index = /indice = (-?\d+)/.exec(message);
  if (index !== null) return `the index value ${signed(index[1]!)} is out of range`;
  return memory(message) ?? message.trim().replace(/^\S+\.(?:cc|h|hpp):\d+ .*\) (?:const )?(?:\[with [^\]]*\] )?/, '');
}

/** A failed allocation: how much was asked for, and what helps. */
function memory(message: string): string | undefined {
  const failed = /Failed to allocate memory for requested buffer of size (\d+)|bad_alloc|(?:integer|size) overflow/i.exec(message);
  if (failed === null) return undefined;
  const size = failed[1] === undefined ? '' : ` of ${megabytes(Number(failed[1]))}`;
  return `there is not enough memory for an intermediate value${size}. Use a smaller batch or model; step.memory() tells what is held.`;
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 1e6).toLocaleString('en-US')} MB`;
}

/** Lowerings pass negative int32 indices as uint32, so that ONNX Runtime refuses them as tfjs does. */
function signed(text: string): number {
  const value = Number(text);
  return value >= 2 ** 31 && value < 2 ** 32 ? value - 2 ** 32 : value;
}
