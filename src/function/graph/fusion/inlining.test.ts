import { expect, it } from 'vitest';
import { makeCall, makeValue, type Call, type Graph, type Value } from '../ir.js';
import { Inlining } from './inlining.js';

const vector = [{ dtype: 'float32', shape: [64] }] as const;
const given = (index: number): Value => makeValue(vector[0], { kind: 'input', index });
const unary = (kernel: string, x: Value): Call => makeCall(kernel, { x }, {}, vector);
const program = (calls: Call[], outputs: Call[]): Graph => ({
  name: 'f',
  inputs: [],
  calls,
  outputs: outputs.map((call) => call.outputs[0]!),
  assignments: [],
});

it('computes a cheap result again in each reader, but writes an expensive one once', () => {
  for (const [kernel, inlined] of [
    ['Neg', true],
    ['Exp', false],
  ] as const) {
    const made = unary(kernel, given(0));
    const readers = [unary('Square', made.outputs[0]!), unary('Abs', made.outputs[0]!)];
    expect(new Inlining(program([made, ...readers], readers), true).isInlined(made)).toBe(inlined);
  }
});

it('writes what the program returns, and what a kernel reads that is not fused', () => {
  const made = unary('Neg', given(0));
  const reader = unary('Square', made.outputs[0]!);
  expect(new Inlining(program([made, reader], [reader, made]), true).isInlined(made)).toBe(false);
  const sorted = unary('TopK', made.outputs[0]!);
  expect(new Inlining(program([made, sorted], [sorted]), true).isInlined(made)).toBe(false);
});

it('never reads truth values from memory: a comparison is made where it is used', () => {
  const truth = makeCall('Greater', { a: given(0), b: given(1) }, {}, [{ dtype: 'bool', shape: [64] }]);
  const chosen = makeCall('Select', { condition: truth.outputs[0]!, t: given(2), e: given(3) }, {}, vector);
  const inlining = new Inlining(program([truth, chosen], [chosen]), true);
  expect(inlining.isInlined(truth)).toBe(true);
  expect(inlining.isReadable(chosen, inlining.form(chosen)!)).toBe(true);
  const stored = makeValue({ dtype: 'bool', shape: [64] }, { kind: 'input', index: 4 });
  const other = makeCall('Select', { condition: stored, t: given(2), e: given(3) }, {}, vector);
  expect(inlining.isReadable(other, inlining.form(other)!)).toBe(false);
});
