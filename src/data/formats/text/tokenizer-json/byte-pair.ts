import type { Model } from './models.js';
import { flagOf, listOf, textOrNone, wrong, type Part } from './parts.js';
import { byteTokens } from './byte-tokens.js';
import { PairTable } from './pair-table.js';
import { unknown } from './unknown.js';

/** Pieces up to this length are remembered, and as many of them. */
const [LONGEST_REMEMBERED, MOST_REMEMBERED] = [256, 20_000];

/** Byte-pair encoding: the characters of a piece, of which the pair of the lowest rank is joined again and again. */
export function bytePair(part: Part, ids: ReadonlyMap<string, number>): Model {
  const prefix = textOrNone(part, 'continuing_subword_prefix') ?? '';
  const suffix = textOrNone(part, 'end_of_word_suffix') ?? '';
  const name = textOrNone(part, 'unk_token');
  const fuse = flagOf(part, 'fuse_unk', false);
  const bytes = flagOf(part, 'byte_fallback', false) ? byteTokens(ids) : undefined;
  const whole = flagOf(part, 'ignore_merges', false);
  const { ranks, made } = mergesOf(part, ids, prefix.length);

  const symbols = (piece: string): number[] => {
    const found: number[] = [];
    let waiting = -1; // an unknown token that may take in the next one
    const characters = Array.from(piece);
    characters.forEach((character, i) => {
      const text = (i > 0 ? prefix : '') + character + (i === characters.length - 1 ? suffix : '');
      const id = ids.get(text);
      if (id !== undefined) {
        if (waiting >= 0) found.push(waiting);
        waiting = -1;
        found.push(id);
        return;
      }
      const fallen = bytes?.(text);
      if (fallen !== undefined) return void found.push(...fallen);
      if (name === undefined) return; // without a token for it, what is unknown is left out, as the original does
      if (waiting >= 0 && !fuse) found.push(waiting);
      waiting = unknown(text, name, ids);
    });
    if (waiting >= 0) found.push(waiting);
    return found;
  };

  const remembered = new Map<string, readonly number[]>();
  const encode = (piece: string, into: number[]): void => {
    const known = whole ? ids.get(piece) : undefined;
    if (known !== undefined) return void into.push(known);
    let tokens = remembered.get(piece);
    if (tokens === undefined) {
      tokens = merged(symbols(piece), ranks, made);
      if (piece.length <= LONGEST_REMEMBERED) {
        if (remembered.size >= MOST_REMEMBERED) remembered.clear();
        remembered.set(piece, tokens);
      }
    }
    for (const token of tokens) into.push(token);
  };
  return { ids, encode };
}

/** The ranks of pairs, and the token that each rank makes. */
function mergesOf(part: Part, ids: ReadonlyMap<string, number>, prefixLength: number): { ranks: PairTable; made: Int32Array } {
  const merges = listOf(part, 'merges');
  const ranks = new PairTable(merges.length);
  const made = new Int32Array(merges.length);
  merges.forEach((merge, rank) => {
    if (typeof merge === 'string' && merge.startsWith('#version')) return; // the first line of a merges.txt
    const pair: unknown = typeof merge === 'string' ? merge.split(' ') : merge;
    if (!Array.isArray(pair) || pair.length !== 2 || !pair.every((one) => typeof one === 'string'))
      throw wrong(part, 'merges', 'a list of pairs of texts');
    const [left, right] = pair as [string, string];
    const joined = left + right.slice(prefixLength);
    const [a, b, id] = [left, right, joined].map((text) => {
      const found = ids.get(text);
      if (found === undefined)
        throw new Error(`merge ${rank} (${left} ${right}) needs the token ${JSON.stringify(text)}, which its vocabulary does not have`);
      return found;
    }) as [number, number, number];
    ranks.set(a, b, rank);
    made[rank] = id;
  });
  return { ranks, made };
}

/** Joins pairs, lowest rank first, of equal ones the leftmost: a heap of candidates over a linked list, n log n. */
function merged(tokens: number[], ranks: PairTable, made: Int32Array): number[] {
  const length = tokens.length;
  if (length < 2) return tokens;
  const next = Int32Array.from(tokens, (_, i) => (i + 1 < length ? i + 1 : -1));
  const previous = Int32Array.from(tokens, (_, i) => i - 1);
  const heap = new Heap();
  const offer = (at: number): void => {
    if (at < 0 || next[at]! < 0) return;
    const rank = ranks.get(tokens[at]!, tokens[next[at]!]!);
    if (rank >= 0) heap.push(rank * 2 ** 29 + at);
  };
  for (let i = 0; i < length - 1; i++) offer(i);
  for (let top = heap.pop(); top !== undefined; top = heap.pop()) {
    const at = top % 2 ** 29;
    const right = next[at]!;
    if (tokens[at] === -1 || right < 0) continue;
    const now = ranks.get(tokens[at]!, tokens[right]!);
    const token = made[(top - at) / 2 ** 29]!;
    if (now < 0 || made[now] !== token) continue; // one of the two was joined to another
    tokens[at] = token;
    tokens[right] = -1;
    next[at] = next[right]!;
    if (next[at] >= 0) previous[next[at]] = at;
    offer(previous[at]!);
    offer(at);
  }
  return tokens.filter((token) => token !== -1);
}

/** Numbers, the smallest first. */
class Heap {
  readonly #items: number[] = [];

  push(value: number): void {
    const items = this.#items;
    let at = items.length;
    for (items.push(value); at > 0;) {
      const parent = (at - 1) >> 1;
      if (items[parent]! <= value) break;
      items[at] = items[parent]!;
      at = parent;
    }
    items[at] = value;
  }

  pop(): number | undefined {
    const items = this.#items;
    const top = items[0];
    const last = items.pop();
    if (last === undefined || items.length === 0) return top;
    let at = 0;
    for (let child = 1; child < items.length; child = 2 * at + 1) {
      if (child + 1 < items.length && items[child + 1]! < items[child]!) child++;
      if (items[child]! >= last) break;
      items[at] = items[child]!;
      at = child;
    }
    items[at] = last;
    return top;
  }
}
