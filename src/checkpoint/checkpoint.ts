/** Saves and restores a set of live objects. */
import path from 'node:path';
import { CheckpointError, UsageError } from '../errors.js';
import { key, openFiles, readTensors } from './checkpoint-files.js';
import { decodeState, type TensorReference } from './encoding.js';
import { takeSnapshot, type CheckpointItems } from './items.js';
import { readManifest, type CheckpointMetadata, type Manifest } from './manifest.js';
import { matchItems, neededTensors, type Match } from './match.js';
import type { StateDict, StateTensor } from './state.js';
import { writeStateFile } from './state-file.js';
import { assignVariable } from './tf-variables.js';
import { writeSnapshot, type CheckpointSnapshot } from './write-snapshot.js';

/** How to restore. */
export interface RestoreOptions {
  /**
   * `all`: every object must find its value, and a model must take all that was saved of it, else nothing is changed and a
   * `CheckpointError` lists the differences. `partial`: what matches is restored; the result tells the rest.
   */
  match?: 'all' | 'partial';
  /** `checksum` (default) compares every tensor read with its crc32; `size` looks at the sizes of the files only. */
  verify?: 'checksum' | 'size';
}

/** How an object belongs to a checkpoint. */
export interface ItemOptions {
  /** Checkpoints without it restore all the same; the object then stays as it is. For what older checkpoints cannot have. Default false. */
  optional?: boolean;
}

/** What a restore did. */
export interface RestoreResult {
  /** Global step of the checkpoint, null if it has none. */
  readonly step: number | null;
  /** Paths of live objects that the checkpoint had no value for. */
  readonly missing: readonly string[];
  /** Paths of saved values that no live object took. */
  readonly unused: readonly string[];
  /** Throws a `CheckpointError` unless every live object was restored. */
  assertExistingObjectsMatched(): void;
  /** Throws a `CheckpointError` unless, besides, every saved value was used. */
  assertConsumed(): void;
}

/**
 * A named set of objects that are saved and restored together.
 *
 * ```ts
 * const checkpoint = new Checkpoint({ model, optimizer, globalStep });
 * await checkpoint.write('runs/a/ckpt-100');
 * await checkpoint.restore('runs/a/ckpt-100');
 * ```
 *
 * A checkpoint is a directory with `model.safetensors` (the variables of the item `model` under their object paths, those of
 * other models below their item's name), `state.safetensors` (all other tensors) and `manifest.json` (all other values,
 * sizes and checksums). It appears whole or not at all.
 *
 * Items: anything with `stateDict()` and `loadStateDict()`, tfjs models, layers, variables and optimizers, counters `{value, assign}`,
 * and records and arrays of these. Null items are left out.
 */
export class Checkpoint {
  readonly #items: Record<string, unknown> = {};
  readonly #optional = new Set<string>();
  /** Called with what a checkpoint says of itself before it is restored or read: objects that do not fit it can be replaced then. */
  beforeLoad: ((manifest: Manifest) => void | Promise<void>) | null = null;
  /** How many saves were made; saved and restored with the objects. Starts at 0. */
  saveCounter = 0;

  constructor(items: CheckpointItems) {
    if (typeof items !== 'object' || items === null)
      throw new UsageError('Checkpoint needs its objects by name, such as new Checkpoint({ model, optimizer }).');
    for (const [name, item] of Object.entries(items)) this.add(name, item);
  }

  /** The objects by name. */
  get items(): CheckpointItems {
    return this.#items;
  }

  /**
   * Adds an object, before anything is saved or restored.
   * @throws UsageError for a name that is empty, taken or has a "/"
   */
  add(name: string, item: unknown, options: ItemOptions = {}): void {
    if (item === null || item === undefined) return;
    if (name === '' || name.includes('/'))
      throw new UsageError(`A checkpoint's object cannot have the name "${name}": names are not empty and have no "/".`);
    if (Object.hasOwn(this.#items, name))
      throw new UsageError(`The checkpoint has an object named "${name}" already; choose another name.`);
    this.#items[name] = item;
    if (options.optional) this.#optional.add(name);
  }

  /**
   * Puts another object in the place of one, such as a new model; saves and restores then go to it.
   * @throws UsageError when there is no object of that name
   */
  replace(name: string, item: object): void {
    if (!Object.hasOwn(this.#items, name)) throw new UsageError(`The checkpoint has no object named "${name}" that could be replaced.`);
    this.#items[name] = item;
  }

  /** Writes the objects to the directory `prefix` and resolves to it. What was there is replaced. */
  async write(prefix: string): Promise<string> {
    await writeSnapshot(this.snapshot(false), prefix);
    return prefix;
  }

  /** Counts a save, writes `<prefix>-<saveCounter>`, lists only that one in the directory's state file, resolves to its path. */
  async save(prefix: string): Promise<string> {
    this.saveCounter += 1;
    const target = await this.write(`${prefix}-${this.saveCounter}`);
    const now = Date.now() / 1000;
    await writeStateFile(path.dirname(target), {
      latest: target,
      managed: [{ path: target, timestampSeconds: now }],
      lastPreservedSeconds: now,
    });
    return target;
  }

  /**
   * State of all objects at this moment, taken synchronously, to be written with {@link writeSnapshot}.
   * @param copy true if the objects may change before it is written
   * @param metadata plain JSON that the manifest keeps besides, such as the results that made this checkpoint the best
   */
  snapshot(copy: boolean, metadata?: CheckpointMetadata): CheckpointSnapshot {
    return { ...takeSnapshot(this.items, copy), saveCounter: this.saveCounter, ...(metadata ? { metadata } : {}) };
  }

  /** Like {@link restore}, but `match` is `partial` unless given, and the save counter stays. */
  async read(checkpoint: string, options: RestoreOptions = {}): Promise<RestoreResult> {
    return (await this.load(checkpoint, { match: 'partial', ...options })).result;
  }

  /**
   * Puts the values of the checkpoint `checkpoint` (its directory) back into the objects. Everything is read and checked
   * before the first object changes.
   * @throws CheckpointError when the checkpoint is missing or damaged, or does not fit the objects
   */
  async restore(checkpoint: string, options: RestoreOptions = {}): Promise<RestoreResult> {
    const { result, manifest } = await this.load(checkpoint, { match: 'all', ...options });
    this.saveCounter = manifest.save_counter;
    return result;
  }

  private async load(checkpoint: string, options: RestoreOptions): Promise<{ result: RestoreResult; manifest: Manifest }> {
    const { match: mode = 'all', verify = 'checksum' } = options;
    if (mode !== 'all' && mode !== 'partial') throw new UsageError(`Unknown match "${String(mode)}": use "all" or "partial".`);
    if (verify !== 'checksum' && verify !== 'size') throw new UsageError(`Unknown verify "${String(verify)}": use "checksum" or "size".`);
    const manifest = await readManifest(checkpoint);
    await this.beforeLoad?.(manifest);
    const files = await openFiles(checkpoint, manifest);
    try {
      const match = matchItems(this.items, manifest.items, (ref) => files.get(ref.file)?.info(ref.name));
      const problems = [...match.conflicts];
      if (mode === 'all') {
        const needed = match.missing.filter((p) => !this.#optional.has(p.split('/')[0]!));
        problems.push(...needed.map((p) => `${p}: not in the checkpoint`));
        problems.push(...match.unusedInModels.map((p) => `${p}: in the checkpoint, but the model has no such variable`));
      }
      if (problems.length > 0) throw mismatch(checkpoint, problems);
      const values = await readTensors(checkpoint, manifest, files, neededTensors(match), verify);
      await apply(checkpoint, match, values);
      return { manifest, result: restoreResult(checkpoint, manifest, match) };
    } finally {
      await Promise.all([...files.values()].map((f) => f.close()));
    }
  }
}

async function apply(checkpoint: string, match: Match, values: ReadonlyMap<string, StateTensor>): Promise<void> {
  const needed = neededTensors(match).map(key);
  const isShared = new Set(needed).size < needed.length; // by a manifest that was not written here
  const take = (ref: TensorReference): StateTensor => {
    const tensor = values.get(key(ref))!;
    // Not enumerable: the state equals the one that was saved.
    return Object.defineProperty({ ...tensor, data: isShared ? tensor.data.slice() : tensor.data }, 'owned', { value: true });
  };
  // Objects with their own loading first: only they can still refuse.
  for (const a of match.assignments) {
    if (a.kind !== 'stateful') continue;
    try {
      const loading: unknown = a.target.loadStateDict(decodeState(a.value, take) as StateDict);
      await Promise.resolve(loading); // some return a promise all the same
    } catch (error) {
      throw new CheckpointError(
        `Cannot restore "${a.path}" from "${checkpoint}": ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    }
  }
  for (const a of match.assignments) {
    if (a.kind === 'counter') a.target.assign(a.value);
    else if (a.kind === 'variable') assignVariable(a.target, take(a.value));
  }
}

function restoreResult(checkpoint: string, manifest: Manifest, match: Match): RestoreResult {
  const missing = match.missing.map((p) => `${p}: not in the checkpoint`);
  const unused = match.unused.map((p) => `${p}: in the checkpoint, but not used`);
  const check = (problems: string[]): void => {
    if (problems.length > 0) throw mismatch(checkpoint, problems);
  };
  return {
    step: manifest.step,
    missing: match.missing,
    unused: match.unused,
    assertExistingObjectsMatched: () => check(missing),
    assertConsumed: () => check([...missing, ...unused]),
  };
}

/** Every problem is listed: somebody who maps names needs them all. */
function mismatch(checkpoint: string, problems: readonly string[]): CheckpointError {
  return new CheckpointError(
    `The checkpoint "${checkpoint}" does not fit the objects it is restored into:\n  ${problems.join('\n  ')}\n` +
      `Was the model changed since? Choose another model directory to start afresh, or change it back; in code, { match: 'partial' } takes what fits.`,
  );
}
