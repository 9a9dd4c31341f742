/** Reading variables without copying them, for checkpoints that are written while the next steps run. */
import { cpuBackend } from '../trace/engine.js';
import type { TypedArray } from '../dtype.js';
import { cellOfData, type Cell } from './cell.js';

/** Values that stay as they are. */
export interface HeldVariables<T> {
  /** What the body returned. */
  readonly value: T;
  /** The memory that is held: shared with other threads, and not written before {@link release}. */
  readonly memory: ReadonlySet<ArrayBufferLike>;
  /** Lets the steps write the memory again. Calls after the first do nothing. */
  release(): void;
}

/** Reads the variables of compiled steps in place. */
export const variableHolder = {
  /**
   * Runs `body`, in which `dataSync()` of a variable of compiled steps gives the step's own memory instead of a copy. Steps
   * leave that memory alone until `release()`: they go on with a third buffer.
   */
  hold<T>(body: () => T): HeldVariables<T> {
    const releases: (() => void)[] = [];
    const memory = new Set<ArrayBufferLike>();
    const release = (): void => releases.splice(0).forEach((r) => r());
    try {
      const value = readingInPlace(body, (cell) => {
        const held = cell.hold();
        releases.push(held.release);
        memory.add(held.array.buffer);
        return held.array;
      });
      return { value, memory, release };
    } catch (error) {
      release();
      throw error;
    }
  },

  /**
   * Makes the third buffers of those variables that `body` reads, and returns the fresh memory: its pages come into being when
   * they are first touched, which another thread can do (adding 0 atomically, since a step may write at the same time).
   */
  reserve(body: () => unknown): SharedArrayBuffer[] {
    const fresh: SharedArrayBuffer[] = [];
    readingInPlace(body, (cell) => {
      const array = cell.reserve();
      if (array !== undefined) fresh.push(array.buffer as SharedArrayBuffer);
      return cell.current.array;
    });
    return fresh;
  },
};

function readingInPlace<T>(body: () => T, read: (cell: Cell) => TypedArray): T {
  const backend = cpuBackend() as unknown as { readSync(dataId: object): unknown };
  const original = Object.getOwnPropertyDescriptor(backend, 'readSync');
  const readSync = backend.readSync.bind(backend);
  backend.readSync = (dataId) => {
    const cell = cellOfData(dataId);
    return cell === undefined ? readSync(dataId) : read(cell);
  };
  try {
    return body();
  } finally {
    if (original) Object.defineProperty(backend, 'readSync', original);
    else delete (backend as Partial<typeof backend>).readSync;
  }
}
