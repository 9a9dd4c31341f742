import { describe, expect, it } from 'vitest';

import {
  fromImageFolder, fromNpy, fromSafetensors, readNpy, readNpz, readSafetensors,
} from '../index.js'; // prettier-ignore
import { at, expected } from './checked-in.testing.js';

describe('arrays', () => {
  const grid = Array.from({ length: 24 }, (_, i) => i / 8);
  it('reads npy in either order, byte order and precision, and rows of it from the file', async () => {
    for (const name of ['grid.npy', 'fortran.npy', 'big-endian.npy', 'half.npy']) {
      const array = readNpy(at(name));
      expect([name, array.shape, [...array.data]]).toEqual([name, [4, 3, 2], grid]);
    }
    const batches = await fromNpy({ x: at('grid.npy'), y: at('labels.npy') })
      .batch(3)
      .toArray();
    expect(batches.map(({ x, y }) => [x.shape, [...y.data]])).toEqual([
      [
        [3, 3, 2],
        [3, 1, 4],
      ],
      [[1, 3, 2], [1]],
    ]);
    expect(batches.flatMap(({ x }) => [...x.data])).toEqual(grid);
  });

  it('reads npz and safetensors', async () => {
    for (const arrays of [
      await readNpz(at('arrays.npz')),
      await readNpz(at('arrays-deflated.npz')),
      readSafetensors(at('arrays.safetensors')),
    ]) {
      expect([...arrays['grid']!.data]).toEqual(grid);
      expect(arrays['labels']).toMatchObject({ dtype: 'int32', data: Int32Array.of(3, 1, 4, 1) });
    }
    const rows = await fromSafetensors(at('arrays.safetensors'), ['half', 'flags']).toArray();
    expect(rows.map(({ flags }) => flags.data[0])).toEqual([1, 0, 1, 0]);
    expect(rows.flatMap(({ half }) => [...half.data])).toEqual(grid);
    expect(() => fromSafetensors(at('arrays.safetensors'), ['gird'])).toThrow(/has no array gird; it has/);
  });
});

describe('images', () => {
  it('decodes JPEG, PNG and WebP with labels by folder', async () => {
    const rows = await fromImageFolder(at('images'), { dtype: 'uint8' }).toArray();
    expect(rows.map(([, label]) => label.data[0])).toEqual([0, 0, 0, 1, 1, 1]);
    for (const [image, label] of rows) {
      expect(image.shape).toEqual([40, 60, 3]);
      const pixel = image.data.subarray((20 * 60 + 30) * 3, (20 * 60 + 30) * 3 + 3);
      expected.centre[label.data[0] === 0 ? 'blue' : 'red']!.forEach((value, channel) =>
        expect(Math.abs(pixel[channel]! - value)).toBeLessThanOrEqual(2),
      );
    }
  });
});
