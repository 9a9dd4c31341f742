/** Loops over time steps. */
import type { Value } from '../graph/ir.js';
import { fuseLoop } from '../graph/fusion/index.js';
import { liveNodes } from '../graph/live-nodes.js';
import { LOOP, loopInputs, type LoopBody } from '../graph/loop.js';
import { rows, type Lowering, type Physical } from '../graph/lowering.js';
import type { OnnxValueInfo } from '../graph/onnx.js';
import { defineKernels } from './define.js';

defineKernels({
  kernel: LOOP,
  form: 'Scan over the program of one step; written for the recurrent layers',
  infer: () => {
    throw new Error('a loop is written by the tracer alone');
  },
  lower: (g, _, { body }, call) => {
    const step = body as LoopBody;
    return lowerLoop(g, g.native.has('Fused') ? fuseLoop(step, g.native.has('Conv')) : step, loopInputs(call, step));
  },
});

function lowerLoop(g: Lowering, body: LoopBody, { stacks, initial, outer }: ReturnType<typeof loopInputs>): Physical[] {
  const { label } = g;
  const info = (v: Value, prefix: string): OnnxValueInfo => ({ name: g.fresh(prefix), type: v.dtype, shape: v.shape });
  const stateInfos = body.carried.map(({ value }) => info(value, 's'));
  const sums = body.outputs.filter((o) => o.kind === 'sum').map((o) => o.value);
  const sumInfos = sums.map((v) => info(v, 's'));
  const sliceInfos = body.sliced.map((v) => info(v, 'x'));
  const inner = g.nested(body.calls, (sub) => {
    body.carried.forEach(({ value }, i) => sub.define(value, rows(stateInfos[i]!.name)));
    body.sliced.forEach((v, i) => sub.define(v, rows(sliceInfos[i]!.name)));
    body.captured.forEach((v, i) => sub.define(v, rows(g.rows(outer[i]!))));
  });
  inner.label = label;
  const produced = new Set(inner.nodes.flatMap((n) => n.outputs));
  const taken = new Set<string>();
  /** A name of its own for each result of the step: a result that is an input or given twice is copied. */
  const result = (name: string): string => {
    const own = produced.has(name) && !taken.has(name) ? name : inner.op('Identity', [name]);
    taken.add(own);
    return own;
  };
  const out = (name: string, v: Value): OnnxValueInfo => ({ name: result(name), type: v.dtype, shape: v.shape });
  const stacked = body.outputs.filter((o) => o.kind === 'stack').map((o) => o.value);
  const outputs = [
    ...body.carried.map(({ next }) => out(inner.rows(next), next)),
    ...sums.map((v, i) => out(inner.op('Add', [sumInfos[i]!.name, inner.rows(v)]), v)),
    ...stacked.map((v) => out(inner.rows(v), v)),
  ];
  // Scan counts its steps by what it scans: a loop that reads no stack gets one of zeros.
  const counted = stacks.length === 0;
  const scanned = counted ? [g.filled(0, [body.steps], 'float32')] : stacks.map((v) => g.rows(v));
  if (counted) sliceInfos.push({ name: g.fresh('x'), type: 'float32', shape: [] });
  const graph = {
    name: 'step',
    inputs: [...stateInfos, ...sumInfos, ...sliceInfos],
    outputs,
    initializers: inner.initializers,
    nodes: liveNodes(
      inner.nodes,
      outputs.map((o) => o.name),
    ),
  };
  const direction = body.reverse ? 1 : 0;
  const names = g.ops(
    'Scan',
    [...initial.map((v) => g.rows(v)), ...sums.map((v) => g.filled(0, v.shape, v.dtype)), ...scanned],
    outputs.length,
    {
      body: { graph },
      num_scan_inputs: scanned.length,
      scan_input_directions: scanned.map(() => direction),
      scan_output_directions: stacked.map(() => direction),
    },
  );
  const states = names.slice(0, body.carried.length);
  const [sumNames, stackNames] = [names.slice(states.length, states.length + sums.length), names.slice(states.length + sums.length)];
  return [...states, ...body.outputs.map((o) => (o.kind === 'sum' ? sumNames.shift()! : stackNames.shift()!))].map(rows);
}
