import { describe, expect, it } from 'vitest';

import { fromItems, NDArray, range, setNoticeHandler } from './index.js';
import { positioned, streamed } from './numbers.testing.js';

setNoticeHandler(() => undefined);

const sequence = (n: number): Float32Array => Float32Array.from({ length: n }, (_, i) => i + 1);

describe('Dataset.paddedBatch', () => {
  it('fills up to the longest of each batch', async () => {
    const batches = await fromItems([1, 3, 2].map((n) => ({ ids: sequence(n), n })))
      .paddedBatch(2)
      .toArray();
    expect(batches.map(({ ids, n }) => [ids.shape, [...ids.data], [...n.data]])).toEqual([
      [
        [2, 3],
        [1, 0, 0, 1, 2, 3],
        [1, 3],
      ],
      [[1, 2], [1, 2], [2]],
    ]);
  });

  it('fills up several axes, to given shapes, with given values', async () => {
    const element = (rows: number, columns: number): [NDArray<'int32'>, NDArray<'float32'>] => [
      new NDArray(
        Int32Array.from({ length: rows * columns }, (_, i) => i),
        [rows, columns],
        'int32',
      ),
      NDArray.of(sequence(rows)),
    ];
    const d = fromItems([element(1, 2), element(2, 1)]);
    const [[matrix, vector]] = (await d.paddedBatch(2, { padValue: [-1, 9], paddedShapes: [[null, 3], [3]] as never }).toArray()) as [
      [NDArray, NDArray],
    ];
    expect([matrix.shape, [...matrix.data]]).toEqual([
      [2, 2, 3],
      [0, 1, -1, -1, -1, -1, 0, -1, -1, 1, -1, -1],
    ]);
    expect([vector.shape, [...vector.data]]).toEqual([
      [2, 3],
      [1, 9, 9, 1, 2, 9],
    ]);
  });

  it('refuses what cannot be filled up, with the place', async () => {
    const batch = (elements: unknown[], paddedShapes?: (number | null)[]) => fromItems(elements).paddedBatch(2, { paddedShapes }).toArray();
    await expect(batch([sequence(2), sequence(5)], [4])).rejects.toThrow(
      /the element is float32\[5\] in element 1 of the batch, longer than the padded shape \[4\]/,
    );
    await expect(batch([sequence(2)], [4, null])).rejects.toThrow(/gives \[4,null\] for the element, which has 1 axes/);
    await expect(batch([{ x: sequence(2) }, { x: Int32Array.of(1) }])).rejects.toThrow(
      /part x of the element is float32\[2\] .* but int32\[1\] in element 1/,
    );
    await expect(batch([{ x: sequence(2) }, {}])).rejects.toThrow(/part x .* but undefined in element 1/);
  });
});

describe('Dataset.bucketBySequenceLength', () => {
  const lengths = [1, 8, 2, 4, 9, 1, 5, 2, 4, 3];
  const make = (dropRemainder = false) =>
    fromItems(lengths)
      .map(sequence)
      .bucketBySequenceLength((x) => x.length, { boundaries: [3, 6], batchSizes: [3, 2, 2], dropRemainder });

  it('gives a batch when a bucket is full, the others at the end', async () => {
    // Worked out by hand: buckets [0, 3), [3, 6), [6, ∞).
    expect((await make().toArray()).map(({ shape }) => shape)).toEqual([
      [2, 9],
      [3, 2],
      [2, 5],
      [2, 4],
      [1, 2],
    ]);
    expect((await make(true).toArray()).map(({ shape }) => shape)).toHaveLength(4);
  });

  it('refuses boundaries and sizes that do not fit', () => {
    const of = (boundaries: number[], batchSizes: number[]) => () =>
      range(0, 3).bucketBySequenceLength((x) => x, { boundaries, batchSizes });
    expect(of([3, 3], [1, 1, 1])).toThrow(/ascending boundaries/);
    expect(of([3], [1])).toThrow(/one batch size more/);
    expect(of([3], [1, 0])).toThrow(/batch size is 0/);
  });
});

describe('Dataset.requireExactResume', () => {
  const shuffled = (d: ReturnType<typeof streamed>) => d.shuffle({ bufferSize: 3 }).requireExactResume().iterator();
  it('ends data whose position would be found again by reading and dropping', async () => {
    await expect(shuffled(streamed(9)).next()).rejects.toThrow(/(shuffle|generator) can be resumed only by reading and dropping/);
    await expect(streamed(9).requireExactResume().batch(2).iterator().next()).rejects.toThrow(/generator can be resumed only by reading/);
  });

  it('changes nothing where positions are exact', async () => {
    const iterator = shuffled(positioned(9));
    const first = await iterator.next();
    const same = await positioned(9).shuffle({ bufferSize: 3 }).iterator().next();
    expect(first).toEqual(same);
    expect(iterator.stateDict().taken).toBe(1);
    await iterator.return();
  });
});
