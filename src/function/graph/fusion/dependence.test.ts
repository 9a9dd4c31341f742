import { expect, it } from 'vitest';
import { makeCall, makeValue, type Call, type Value } from '../ir.js';
import { dependsOn } from './dependence.js';
import type { Group } from './group.js';

const spec = { dtype: 'float32', shape: [8] } as const;
const start = makeValue(spec, { kind: 'input', index: 0 });
const after = (...inputs: Value[]): Call => makeCall('AddN', Object.fromEntries(inputs.map((v, i) => [i, v])), {}, [spec]);
const result = (call: Call): Value => call.outputs[0]!;

/** A program in which some calls are grouped. */
function grouped(calls: Call[], ...together: Call[][]) {
  const index = new Map(calls.map((call, i) => [call, i]));
  const groups = together.map((members): Group => {
    const at = members.map((call) => index.get(call)!);
    const parts = members.map((call) => [call, { kind: 'full', form: { operands: call.inputs, emit: () => 0, cheap: true } }] as const);
    return { size: 8, row: undefined, members: new Map(parts), first: Math.min(...at), last: Math.max(...at) };
  });
  const groupOf = new Map(groups.flatMap((group) => [...group.members.keys()].map((call) => [call, group] as const)));
  return { groups: new Set(groups), groupOf, index, all: groups };
}

it('finds a path from a group to a value through calls outside it', () => {
  const [a, aside] = [after(start), after(start)];
  const between = after(result(a));
  const { all, ...program } = grouped([a, aside, between], [a]);
  expect(dependsOn(result(between), all[0]!, program)).toBe(true);
  expect(dependsOn(result(aside), all[0]!, program)).toBe(false);
  expect(dependsOn(start, all[0]!, program)).toBe(false);
});

it('knows that another group runs as a whole: what reads its first call waits for all that its last call reads', () => {
  const early = after(start);
  const reader = after(result(early));
  const a = after(start);
  const late = after(result(a));
  const { all, ...program } = grouped([early, reader, a, late], [a], [early, late]);
  expect(dependsOn(result(reader), all[0]!, program)).toBe(true);
  const { all: apart, ...ungrouped } = grouped([early, reader, a, late], [a], [early], [late]);
  expect(dependsOn(result(reader), apart[0]!, ungrouped)).toBe(false);
});
