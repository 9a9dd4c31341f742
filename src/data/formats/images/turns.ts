/** Lets so many tasks run at a time; others wait for their turn, in order. */
export class Turns {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  /** `count` tasks at a time. */
  constructor(count: number) {
    this.#free = count;
  }

  /** Runs a task when it is its turn; its result or error. */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    else this.#free--;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next(); // the turn passes on
    }
  }
}
