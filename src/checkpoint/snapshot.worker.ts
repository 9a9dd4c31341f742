/** The thread that writes checkpoints. It gets snapshots in shared memory and answers when they are on the device. */
import { parentPort } from 'node:worker_threads';
import { CheckpointError } from '../errors.js';
import { writeSnapshot, type CheckpointSnapshot } from './write-snapshot.js';

/** What the thread is asked for: to write a snapshot, or to touch fresh memory. */
export type WriteRequest =
  | {
      readonly do: 'write';
      readonly id: number;
      readonly snapshot: CheckpointSnapshot;
      readonly target: string;
      /** One shared element: 1 once somebody waits. */
      readonly urgent: Int32Array;
    }
  | { readonly do: 'touch'; readonly memory: readonly SharedArrayBuffer[] };

/** Its answer to a write; `error` is the message of what went wrong, null if nothing did. */
export interface WriteAnswer {
  readonly id: number;
  readonly error: string | null;
}

/**
 * Rest after each chunk of 4 MiB, which takes about 4 ms of a processor and holds up the threads of a step that wait for each
 * other for twice as long. A gigabyte is on the device after half a minute, or at once when somebody waits.
 */
const restMilliseconds = 100;
/** No page is larger than it need be for this: touching more often costs nothing. */
const pageBytes = 4096;

parentPort?.on('message', (request: WriteRequest) => {
  if (request.do === 'touch') request.memory.forEach(touch);
  else write(request);
});

function write({ id, snapshot, target, urgent }: WriteRequest & { do: 'write' }): void {
  const answer = (error: string | null): void => parentPort!.postMessage({ id, error } satisfies WriteAnswer);
  const rest = (): void => void (Atomics.load(urgent, 0) === 0 && Atomics.wait(urgent, 0, 0, restMilliseconds));
  writeSnapshot(snapshot, target, rest).then(
    () => answer(null),
    (error: unknown) =>
      answer(error instanceof CheckpointError ? error.message : `Cannot write the checkpoint "${target}": ${String(error)}.`),
  );
}

/** Writes every page without changing it, also while a step writes there. */
function touch(memory: SharedArrayBuffer): void {
  const bytes = new Uint8Array(memory);
  for (let at = 0; at < bytes.length; at += pageBytes) Atomics.add(bytes, at, 0);
}
