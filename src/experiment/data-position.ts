/** The position of the training data, as a part of checkpoints. */
import type { StateDict } from '../checkpoint/index.js';

interface Position {
  stateDict(): StateDict;
  loadStateDict(state: never): void;
}

/** Saves the data's position always and restores it unless told to leave the data as they are. */
export class DataPositionItem {
  /** Whether a restore moves the data. False while a roll-back lets the data go on with the next batch. */
  follows = true;
  readonly #position: Position;

  constructor(position: Position) {
    this.#position = position;
  }

  /** Position after the last batch taken. */
  stateDict(): StateDict {
    return this.#position.stateDict();
  }

  /** Goes to a saved position, if {@link follows}. */
  loadStateDict(state: StateDict): void {
    if (this.follows) this.#position.loadStateDict(state as never);
  }
}
