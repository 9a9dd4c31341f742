import { describe, expect, it } from 'vitest';

import { NDArray, range } from '../index.js';
import { named, withBuiltWorker } from './workers.testing.js';

withBuiltWorker();

describe('The hand-over of batches by workers', () => {
  it('makes batches in shared memory that is used again once they are given back, and copies where they are kept', async () => {
    const d = range(0, 40).map(named<number, { x: Float32Array; y: NDArray<'int32'> }>('image'), { workers: 1 }).batch(4);
    const kept = await d.toArray();
    kept.forEach(({ x, y }, i) => {
      expect([x.shape, x.dtype, y.shape, y.dtype]).toEqual([[4, 6], 'float32', [4], 'int32']);
      expect([...x.data.subarray(18)]).toEqual([0, 1, 2, 3, 4, 5].map((j) => 4 * i + 3 + j));
    });
    expect(kept.filter(({ x }) => x.data.buffer instanceof SharedArrayBuffer).length).toBeLessThanOrEqual(3);
    const iterator = d.prefetch(1).iterator();
    const memory = new Set<ArrayBufferLike>();
    for (let result = await iterator.next(); !result.done; result = await iterator.next()) {
      memory.add(result.value.x.data.buffer);
      expect(result.value.x.data.buffer).toBeInstanceOf(SharedArrayBuffer);
      iterator.release(result.value);
      iterator.release(result.value); // twice is once
    }
    expect(memory.size).toBeLessThanOrEqual(6);
  });

  it('hands over what is ready without a turn of the event loop', async () => {
    const iterator = range(0, 1000).map(named('double'), { workers: 1 }).batch(10).iterator();
    await iterator.next(); // the thread has started
    for (let i = 1; i < 20; i++) {
      let result = iterator.nextSync();
      if (result === undefined) {
        await iterator.next();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100); // this thread sleeps; the worker does not
        i++;
        result = iterator.nextSync();
      }
      expect(result?.value?.data[0]).toBe(20 * i);
    }
    await iterator.return();
  });
});
