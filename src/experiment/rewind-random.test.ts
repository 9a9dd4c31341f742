import { expect, it } from 'vitest';
import * as tf from '#tf';
import { rewindRandom, rewindRandomOnError } from './rewind-random.js';

const draw = async (): Promise<number> => (await tf.randomUniform([1]).data())[0]!;

it('draws the same number after work that was rewound', async () => {
  const inside = await rewindRandom(draw);
  expect(await draw()).toBe(inside);
});

it('draws the same number again after work that failed, and the next one after work that succeeded', async () => {
  let first = 0;
  const failing = rewindRandomOnError(async () => {
    first = await draw();
    throw new Error('stopped');
  });
  await expect(failing).rejects.toThrow('stopped');
  expect(await rewindRandomOnError(draw)).toBe(first);
  expect(await draw()).not.toBe(first);
});
