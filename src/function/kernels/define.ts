/** How a kernel is declared: its shape rule and its ONNX form stand side by side in one object. */
import { TraceError } from '../../errors.js';
import type { TensorSpec } from '../dtype.js';
import type { Attrs, Call, Value } from '../graph/ir.js';
import type { Lowering, Physical } from '../graph/lowering.js';

/** Inputs of a kernel by tfjs's names (`x`, `a`, `b`, …). A name that the caller left out is undefined. */
export type KernelInputs = Readonly<Record<string, Value>>;

/** What `infer` sees: dtypes and shapes of the inputs by name. */
export type KernelSpecs = Readonly<Record<string, TensorSpec>>;

/** One tfjs kernel that can be compiled. */
export interface KernelDefinition {
  /** tfjs's kernel name. */
  readonly kernel: string;
  /** dtypes and shapes of the outputs. May throw a plain Error; it becomes a TraceError that names the kernel. */
  infer(inputs: KernelSpecs, attrs: Attrs): TensorSpec | TensorSpec[];
  /** Emits the ONNX form and returns the physical value of each output. */
  lower(g: Lowering, inputs: KernelInputs, attrs: Attrs, call: Call): Physical | Physical[];
  /** One line for docs/ops.md: the ONNX form and its limits. */
  readonly form: string;
  /** What of the kernel cannot be compiled or differs, for docs/ops.md. Default: nothing. */
  readonly limits?: string;
}

const definitions = new Map<string, KernelDefinition>();

/** Adds kernels to the table. A kernel has one definition. */
export function defineKernels(...kernels: KernelDefinition[]): void {
  for (const k of kernels) {
    if (definitions.has(k.kernel)) throw new Error(`The kernel ${k.kernel} is defined twice.`);
    definitions.set(k.kernel, k);
  }
}

/** The definition of a kernel, or undefined when it cannot be compiled. */
export function kernelDefinition(kernel: string): KernelDefinition | undefined {
  return definitions.get(kernel);
}

/** All definitions, sorted by kernel name. */
export function kernelDefinitions(): KernelDefinition[] {
  return [...definitions.values()].sort((a, b) => (a.kernel < b.kernel ? -1 : 1));
}

/** The inputs of a call by name. */
export function inputsOf(call: Call): KernelInputs {
  return Object.fromEntries(call.inputNames.map((name, i) => [name, call.inputs[i]!]));
}

/** The inputs of a list kernel (`Concat`, `Pack`, `AddN`, …) in order. */
export function listOf<T>(inputs: Readonly<Record<string, T>>): T[] {
  return Object.keys(inputs)
    .map(Number)
    .sort((a, b) => a - b)
    .map((i) => inputs[i]!);
}

/** A required input; its absence is a TraceError. */
export function need<T>(inputs: Readonly<Record<string, T>>, name: string, kernel: string): T {
  const value = inputs[name];
  if (value === undefined) throw new TraceError(`The kernel ${kernel} was called without its input "${name}".`, { op: kernel });
  return value;
}
