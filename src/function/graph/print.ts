/** A graph as readable text. */
import { formatSpec } from '../dtype.js';
import { shortLine } from '../trace/origin.js';
import type { Attrs, Call, Graph, Value } from './ir.js';
import { loopBody, loopInputs, type LoopBody } from './loop.js';

/** Options of `step.graphWith`. */
export interface PrintOptions {
  /** Adds the line of user code that made each operation. Default true. */
  readonly lines?: boolean;
  /** Adds the part of the model that each operation belongs to: layers, `optimizer`, `gradient of …`. Default true. */
  readonly layers?: boolean;
}

/**
 * One line for each operation: `%3 = MatMul(a: %0, b: @w) {transposeA: false} : float32[2,4]  # dense_1, model.ts:7`. `%n` are
 * results and arguments, `@name` variables.
 */
export function printGraph(graph: Graph, options: PrintOptions = {}): string {
  const names = new Map<Value, string>();
  const out: string[] = [];
  let next = 0;
  const name = (v: Value): string => {
    const known = names.get(v);
    if (known !== undefined) return known;
    const { source } = v;
    let text: string;
    if (source.kind === 'variable') text = `@${source.variable.name}`;
    else if (source.kind === 'captured') text = `captured${formatSpec(v)}`;
    else if (source.kind === 'constant') text = constantText(v, source.data);
    else text = `%${next++}`;
    names.set(v, text);
    return text;
  };
  out.push(`${graph.name}(${graph.inputs.map((v) => `${name(v)}: ${formatSpec(v)}`).join(', ')})`);
  const print = (call: Call, indent: string): void => {
    const inputs = call.inputs.map((v, i) => `${call.inputNames[i]}: ${name(v)}`).join(', ');
    const results = call.outputs.map((v) => name(v)).join(', ');
    const specs = call.outputs.map(formatSpec).join(', ');
    out.push(`${indent}${results} = ${call.kernel}(${inputs})${attrsText(call.attrs)} : ${specs}${comment(call, options)}`);
    const body = loopBody(call);
    if (body !== undefined) printBody(body, call, `${indent}  `);
  };
  /** The step of a loop: what its placeholders stand for, its calls, and what it hands on. */
  const printBody = (body: LoopBody, call: Call, indent: string): void => {
    const { outer } = loopInputs(call, body);
    body.captured.forEach((v, i) => names.set(v, name(outer[i]!)));
    out.push(
      `${indent}step(${[...body.sliced, ...body.carried.map((c) => c.value)].map((v) => `${name(v)}: ${formatSpec(v)}`).join(', ')})`,
    );
    for (const inner of body.calls) print(inner, `${indent}  `);
    const results = [
      ...body.carried.map(({ value, next }) => `${name(value)} := ${name(next)}`),
      ...body.outputs.map(({ kind, value }) => `${kind} ${name(value)}`),
    ];
    out.push(`${indent}  ${results.join(', ')}`);
  };
  for (const call of graph.calls) print(call, '  ');
  for (const { variable, value } of graph.assignments) out.push(`  @${variable.name} := ${name(value)}`);
  out.push(`  return ${graph.outputs.map(name).join(', ')}`);
  return out.join('\n');
}

function comment({ origin }: Call, { lines = true, layers = true }: PrintOptions): string {
  const parts = [layers ? origin.scope : '', lines ? shortLine(origin) : ''].filter(Boolean);
  return parts.length === 0 ? '' : `  # ${parts.join(', ')}`;
}

function constantText(v: Value, data: ArrayLike<number>): string {
  return data.length <= 4 ? `${v.dtype}(${Array.from(data).join(', ')})` : `constant:${formatSpec(v)}`;
}

function attrsText(attrs: Attrs): string {
  const parts = Object.entries(attrs)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([key, value]) => `${key}: ${Array.isArray(value) ? `[${value.join()}]` : String(value)}`);
  return parts.length === 0 ? '' : ` {${parts.join(', ')}}`;
}
