/** The live iterators of a dataset or a structure of datasets, kept between inner loops. */
import { type Datasets, type IteratorsOf, isArrayOfDatasets, isDataset } from './dataset.js';
import { LiveIterator, openDataset, type PositionState } from './live-iterator.js';

type Leaves = Map<string, LiveIterator>;

/**
 * Opens datasets when first needed and keeps their iterators. It can be put into a checkpoint before anything is open: a
 * position loaded early is kept and applied on opening.
 */
export class LiveData<D extends Datasets = Datasets> {
  #datasets: D;
  #iterators: IteratorsOf<D> | null = null;
  #leaves: Leaves = new Map();
  #pending: PositionState | null = null;
  #stale: LiveIterator[] = [];

  constructor(datasets: D) {
    this.#datasets = datasets;
  }

  /** The datasets. Assigning others discards the iterators. */
  get datasets(): D {
    return this.#datasets;
  }

  set datasets(datasets: D) {
    this.#datasets = datasets;
    this.#pending = null;
    this.#discard();
  }

  /** The iterators if they are open, else null. */
  get iterators(): IteratorsOf<D> | null {
    return this.#iterators;
  }

  /** The iterators, opened if need be. */
  async open(): Promise<IteratorsOf<D>> {
    if (this.#iterators !== null) return this.#iterators;
    await this.close();
    const leaves: Leaves = new Map();
    const iterators = (await openStructure(this.#datasets, '', leaves)) as IteratorsOf<D>;
    if (this.#pending !== null) restore(leaves, this.#pending);
    this.#pending = null;
    this.#leaves = leaves;
    this.#iterators = iterators;
    return iterators;
  }

  /** Ends the iterators; the next {@link open} starts at the first batch. */
  async close(): Promise<void> {
    this.#discard();
    for (const leaf of this.#stale.splice(0)) await leaf.close();
  }

  /** Position of every dataset by its path in the structure (`''` where there is only one). Empty before the first use. */
  stateDict(): PositionState {
    if (this.#pending !== null) return this.#pending;
    const state: Record<string, PositionState> = {};
    for (const [path, leaf] of this.#leaves) state[path] = leaf.stateDict();
    return state;
  }

  /** Goes to a saved position, now or as soon as the data are opened. */
  loadStateDict(state: PositionState): void {
    const isReachable = [...this.#leaves].every(([path, leaf]) => {
      const position = state[path];
      return position === undefined || leaf.canReach(position as PositionState);
    });
    const isEmpty = Object.keys(state).length === 0;
    if (this.#iterators !== null && isReachable && !isEmpty) {
      restore(this.#leaves, state);
      return;
    }
    this.#discard();
    this.#pending = isEmpty ? null : state;
  }

  #discard(): void {
    this.#stale.push(...this.#leaves.values());
    this.#leaves = new Map();
    this.#iterators = null;
  }
}

async function openStructure(datasets: Datasets, path: string, leaves: Leaves): Promise<unknown> {
  if (isDataset(datasets)) {
    const iterator = await openDataset(datasets);
    leaves.set(path, iterator);
    return iterator;
  }
  const below = (key: string | number): string => (path === '' ? `${key}` : `${path}/${key}`);
  if (Array.isArray(datasets) && isArrayOfDatasets(datasets)) {
    return Promise.all(datasets.map((part: Datasets, index) => openStructure(part, below(index), leaves)));
  }
  const iterators: Record<string, unknown> = {};
  for (const [name, part] of Object.entries(datasets as Record<string, Datasets>)) {
    iterators[name] = await openStructure(part, below(name), leaves);
  }
  return iterators;
}

function restore(leaves: Leaves, state: PositionState): void {
  for (const [path, leaf] of leaves) {
    const position = state[path];
    if (position !== undefined) leaf.loadStateDict(position as PositionState);
  }
}
