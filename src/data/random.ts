/**
 * Seeded randomness of the data pipeline: 32-bit integer arithmetic only, so that an order is the same on every platform,
 * and counter-based, so that a position in it is one number.
 */

const GOLDEN = 0x9e3779b9;
/** Up to this length an order is a table made once per pass; beyond it every index is computed on its own. */
const TABLE_LIMIT = 2 ** 18;

/** A bijective 32-bit finaliser (xor-shift-multiply). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Folds integers (each up to 2^53 in size, negative ones too) into a 32-bit key. */
export function hashKey(...parts: number[]): number {
  let key = GOLDEN;
  for (const part of parts) {
    key = mix((key + part) | 0);
    key = mix((key ^ Math.imul(Math.floor(part / 2 ** 32) | 0, GOLDEN)) + GOLDEN);
  }
  return key >>> 0;
}

/** A stream of random integers that is a pure function of its key and of how many were drawn. */
export class RandomStream {
  /** Numbers drawn so far; assign it to go to any place of the stream. */
  count = 0;
  readonly #k1: number;
  readonly #k2: number;

  constructor(key: number) {
    this.#k1 = mix(key | 0);
    this.#k2 = mix((this.#k1 ^ GOLDEN) | 0);
  }

  /** A uniform integer in [0, 2^32). */
  uint32(): number {
    const i = this.count++;
    // The upper part of the counter goes into the key, so that the stream does not repeat after 2^32 draws.
    return mix((mix((i ^ this.#k1) | 0) + this.#k2 + Math.floor(i / 2 ** 32)) | 0);
  }

  /** A uniform number in [0, 1) with 32 bits. */
  uniform(): number {
    return this.uint32() * 2 ** -32;
  }

  /** A uniform integer in [0, n), without bias; 1 ≤ n ≤ 2^32. */
  below(n: number): number {
    if (n <= 2 ** 21) {
      // Multiply-shift with rejection: the product stays below 2^53.
      const threshold = 2 ** 32 % n;
      for (;;) {
        const product = this.uint32() * n;
        if (product % 2 ** 32 >= threshold) return Math.floor(product / 2 ** 32);
      }
    }
    const limit = 2 ** 32 - (2 ** 32 % n);
    for (;;) {
      const x = this.uint32();
      if (x < limit) return x % n;
    }
  }
}

/** A permutation of 0…length-1 for a key, as a function from position to index. Cost of one look-up does not depend on the length. */
export function permutation(length: number, key: number): (position: number) => number {
  if (length > TABLE_LIMIT) return feistel(length, key);
  const table = permutationTable(length, key);
  return (position) => table[position]!;
}

/** Fisher-Yates: every order equally likely. */
function permutationTable(length: number, key: number): Uint32Array {
  const random = new RandomStream(key);
  const table = new Uint32Array(length);
  for (let i = 0; i < length; i++) {
    const j = random.below(i + 1);
    table[i] = table[j]!;
    table[j] = i;
  }
  return table;
}

/**
 * A Feistel network over the smallest power of two that covers `length`; values outside walk the cycle until they are inside.
 * Nothing is stored, so the first index of a ten-million order costs as little as the last.
 */
function feistel(length: number, key: number): (position: number) => number {
  const bits = 32 - Math.clz32(length - 1);
  const low = bits >> 1;
  const lowMask = (1 << low) - 1;
  const highMask = 2 ** (bits - low) - 1;
  const keys = Array.from({ length: 8 }, (_, round) => mix((key + Math.imul(round + 1, GOLDEN)) | 0));
  return (position) => {
    let high = position >>> low;
    let rest = position & lowMask;
    for (;;) {
      for (let round = 0; round < 8; round += 2) {
        high ^= mix(rest ^ keys[round]!) & highMask;
        rest ^= mix(high ^ keys[round + 1]!) & lowMask;
      }
      const index = high * (lowMask + 1) + rest;
      if (index < length) return index;
    }
  };
}
