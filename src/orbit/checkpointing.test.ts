import { expect, it } from 'vitest';
import { Checkpointing } from './checkpointing.js';
import type { CheckpointManagerLike } from './index.js';

it('never reports a background save as saved when its failure surfaced at the next save', async () => {
  let saves = 0;
  const manager = {
    checkpointInterval: 1,
    save: () => (saves++ === 0 ? Promise.resolve('ckpt-1') : Promise.reject(new Error('the disk is full'))),
    sync: () => Promise.resolve(), // the failure was thrown once already
  } as unknown as CheckpointManagerLike;
  const saved: string[] = [];
  const reporter = { checkpointSaved: ({ path }: { path: string }) => void saved.push(path) };
  const checkpoints = new Checkpointing({
    manager,
    globalStep: { value: 1 },
    reporter,
    background: true,
    strategy: null,
    iterator: null,
  } as never);
  await checkpoints.save(true);
  await expect(checkpoints.save(true)).rejects.toThrow('the disk is full');
  await checkpoints.sync();
  expect(saved).toEqual([]);
});
