import { sizeOf } from '../../dtype.js';
import { makeCall, roots, Substitution, type Call, type Graph, type Value } from '../ir.js';
import { substitute } from '../sort-calls.js';
import { unitsOf, type Unit } from '../update-units.js';

/** Larger variables are updated alone: an update works best on 0.25 to 1 million elements at a time, and needs no copies then. */
const MAX_ELEMENTS = 16_384;
/** Fewer equal updates are not worth the copies. */
const MIN_UNITS = 4;

/**
 * Computes equal updates of many small variables (the same arithmetic on a variable, its slots and its gradient) on one flat
 * tensor: an optimizer's ten operations a variable become ten for all of them, and a copy in and out.
 */
export function packUpdates(graph: Graph): Graph {
  const small = graph.assignments.map((a) => a.value).filter((v) => v.dtype === 'float32' && between(sizeOf(v.shape)));
  const groups = new Map<string, Unit[]>();
  for (const unit of unitsOf(graph, small)) groups.set(unit.text, [...(groups.get(unit.text) ?? []), unit]);
  const packed = [...groups.values()].filter((group) => group.length >= MIN_UNITS);
  if (packed.length === 0) return graph;
  const substitution = new Substitution();
  const made: Call[] = [];
  for (const group of packed) pack(graph, group, made, substitution);
  const gone = new Set(packed.flatMap((group) => group.flatMap((unit) => unit.calls)));
  return substitute(graph, [...graph.calls.filter((c) => !gone.has(c)), ...made], substitution);
}

const between = (size: number): boolean => size > 0 && size <= MAX_ELEMENTS;

/** Emits a group's arithmetic once, and what its units give as slices of the results. */
function pack(graph: Graph, group: readonly Unit[], made: Call[], substitution: Substitution): void {
  const first = group[0]!;
  const sizes = group.map((unit) => sizeOf(unit.shape));
  const total = sizes.reduce((a, b) => a + b, 0);
  const emit = (
    kernel: string,
    inputs: Record<string, Value>,
    attrs: object,
    shapes: readonly (readonly number[])[],
    origin = first.calls[0]!.origin,
  ) => {
    const specs = shapes.map((shape) => ({ dtype: 'float32' as const, shape }));
    const call = makeCall(kernel, inputs, { ...attrs }, specs, origin);
    made.push(call);
    return call.outputs;
  };
  const flat = (v: Value, size: number): Value => (v.shape.length === 1 ? v : emit('Reshape', { x: v }, { shape: [size] }, [[size]])[0]!);
  const packedOf = new Map<Value, Value>();
  first.tensors.forEach((leaf, k) => {
    const parts = group.map((unit, i) => flat(unit.tensors[k]!, sizes[i]!));
    packedOf.set(leaf, emit('Concat', Object.fromEntries(parts.map((v, i) => [String(i), v])), { axis: 0 }, [[total]])[0]!);
  });
  for (const call of first.calls) {
    const inputs = Object.fromEntries(call.inputNames.map((name, i) => [name, packedOf.get(call.inputs[i]!) ?? call.inputs[i]!]));
    packedOf.set(call.outputs[0]!, emit(call.kernel, inputs, call.attrs, [[total]], call.origin)[0]!);
  }
  const inside = new Set(group.flatMap((unit) => unit.calls));
  const results = new Set(roots(graph));
  for (const call of graph.calls) if (!inside.has(call)) call.inputs.forEach((v) => results.add(v));
  first.calls.forEach((call, k) => {
    if (!group.some((unit) => results.has(unit.calls[k]!.outputs[0]!))) return;
    const parts = emit(
      'SplitV',
      { x: packedOf.get(call.outputs[0]!)! },
      { numOrSizeSplits: sizes, axis: 0 },
      sizes.map((n) => [n]),
    );
    group.forEach((unit, i) => {
      const old = unit.calls[k]!.outputs[0]!;
      if (!results.has(old)) return;
      substitution.replace(
        old,
        old.shape.length === 1 ? parts[i]! : emit('Reshape', { x: parts[i]! }, { shape: [...old.shape] }, [old.shape])[0]!,
      );
    });
  });
}
