/** A map from pairs of whole numbers to whole numbers of at least 0, in two typed arrays: quick to ask millions of times. */
export class PairTable {
  #keys: Float64Array;
  #values: Int32Array;
  #mask: number;
  #size = 0;

  /** Room for `count` pairs at first; it grows. */
  constructor(count: number) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(8, count * 2)));
    this.#keys = new Float64Array(capacity).fill(-1);
    this.#values = new Int32Array(capacity);
    this.#mask = capacity - 1;
  }

  /** The value of a pair, -1 where it has none. */
  get(a: number, b: number): number {
    const key = a * 2 ** 26 + b;
    for (let at = place(a, b) & this.#mask; ; at = (at + 1) & this.#mask) {
      const there = this.#keys[at]!;
      if (there === key) return this.#values[at]!;
      if (there === -1) return -1;
    }
  }

  /** Sets the value of a pair; numbers below 2²⁶. */
  set(a: number, b: number, value: number): void {
    if (this.#size * 2 > this.#mask) this.#grow();
    const key = a * 2 ** 26 + b;
    let at = place(a, b) & this.#mask;
    while (this.#keys[at] !== -1 && this.#keys[at] !== key) at = (at + 1) & this.#mask;
    if (this.#keys[at] === -1) this.#size++;
    this.#keys[at] = key;
    this.#values[at] = value;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Float64Array(keys.length * 2).fill(-1);
    this.#values = new Int32Array(keys.length * 2);
    this.#mask = keys.length * 2 - 1;
    this.#size = 0;
    keys.forEach((key, i) => {
      if (key !== -1) this.set(Math.floor(key / 2 ** 26), key % 2 ** 26, values[i]!);
    });
  }
}

function place(a: number, b: number): number {
  const mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
