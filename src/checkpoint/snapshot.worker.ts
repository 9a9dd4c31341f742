/** The thread that writes checkpoints. It gets snapshots in shared memory and answers when they are on the device. */
import { parentPort } from 'node:worker_threads';
import { CheckpointError } from '../errors.js';
import { writeSnapshot, type CheckpointSnapshot } from './write-snapshot.js';

/** What the thread is asked for. */
export interface WriteRequest {
  readonly id: number;
  readonly snapshot: CheckpointSnapshot;
  readonly target: string;
}

/** Its answer; `error` is the message of what went wrong, null if nothing did. */
export interface WriteAnswer {
  readonly id: number;
  readonly error: string | null;
}

parentPort?.on('message', ({ id, snapshot, target }: WriteRequest) => {
  const answer = (error: string | null): void => parentPort!.postMessage({ id, error } satisfies WriteAnswer);
  writeSnapshot(snapshot, target).then(
    () => answer(null),
    (error: unknown) =>
      answer(error instanceof CheckpointError ? error.message : `Cannot write the checkpoint "${target}": ${String(error)}.`),
  );
});
