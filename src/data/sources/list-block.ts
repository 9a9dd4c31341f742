import type { Block } from './blocks.js';

/** Records kept as a list; `join` makes a batch of some of them (default: their list). */
export function listBlock<R, B = R[]>(records: readonly R[], join: (records: R[]) => B = (some) => some as unknown as B): Block<R, B> {
  return {
    length: records.length,
    row: (index) => records[index]!,
    slice: (begin, end) => join(records.slice(begin, end)),
    gather: (blocks, block, row) => join(Array.from(row, (index, i) => blocks[block[i]!]!.row(index))),
  };
}
