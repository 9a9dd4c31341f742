/** Whether something is computed from the results of a group: then it cannot be computed within the group. */
import { producer, type Call, type Value } from '../ir.js';
import type { Group } from './group.js';

/** A program in which calls are being put into groups. */
export interface GroupedProgram {
  /** The groups so far. */
  readonly groups: ReadonlySet<Group>;
  /** The group of each call that is in one. */
  readonly groupOf: ReadonlyMap<Call, Group>;
  /** Positions of the calls in the program. */
  readonly index: ReadonlyMap<Call, number>;
}

/** True when a value is computed from something that the group computes. */
export function dependsOn(value: Value, group: Group, program: GroupedProgram): boolean {
  const seen = new Set<Call | Group>();
  const floor = floorOf(group, program);
  const visit = (v: Value): boolean => {
    const call = producer(v);
    if (call === undefined || program.index.get(call)! < floor) return false;
    const owner = program.groupOf.get(call);
    if (owner === group) return true;
    const node = owner ?? call;
    if (seen.has(node)) return false;
    seen.add(node);
    if (owner === undefined) return call.inputs.some(visit);
    return [...owner.members.keys()].some((member) => member.inputs.some(visit));
  };
  return visit(value);
}

/**
 * No call before this position depends on the group. That is not the group's first call: a group runs as a whole, so that what
 * reads its first call waits for its last one, too.
 */
function floorOf(group: Group, program: GroupedProgram): number {
  let floor = group.first;
  for (let before = Infinity; floor < before;) {
    before = floor;
    for (const { first, last } of program.groups) if (last >= floor && first < floor) floor = first;
  }
  return floor;
}
