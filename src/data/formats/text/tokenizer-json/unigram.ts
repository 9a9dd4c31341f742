import { byteTokens } from './byte-tokens.js';
import type { Model } from './models.js';
import { PairTable } from './pair-table.js';
import { flagOf, listOf, wholeOf, wrong, type Part } from './parts.js';
import { unknown } from './unknown.js';

/** How much less likely an unknown character is than the least likely token. */
const PENALTY = 10;

/** Unigram language model (SentencePiece): the pieces whose scores have the largest sum. */
export function unigram(part: Part): Model {
  const vocabulary = listOf(part, 'vocab').map((entry): [string, number] => {
    if (Array.isArray(entry) && typeof entry[0] === 'string' && typeof entry[1] === 'number') return [entry[0], entry[1]];
    throw wrong(part, 'vocab', 'a list of [text, score]');
  });
  const ids = new Map(vocabulary.map(([text], id) => [text, id]));
  const scores = Float64Array.from(vocabulary, ([, score]) => score);
  const unknownId = part['unk_id'] == null ? -1 : wholeOf(part, 'unk_id');
  if (unknownId >= scores.length) throw wrong(part, 'unk_id', `a number below ${scores.length}`);
  const name = vocabulary[unknownId]?.[0];
  const bytes = flagOf(part, 'byte_fallback', false) ? byteTokens(ids) : undefined;
  const unknownScore = scores.reduce((least, score) => Math.min(least, score), Infinity) - PENALTY;
  const trie = trieOf(ids);

  const encode = (piece: string, into: number[]): void => {
    const { from, chosen } = bestPath(piece, trie, scores, unknownScore, unknownId);
    const cuts: number[] = [];
    for (let end = piece.length; end > 0;) {
      const isUnknown = chosen[end] === unknownId;
      cuts.push(end);
      do end = from[end]!;
      while (isUnknown && end > 0 && chosen[end] === unknownId); // unknown ones next to each other are one
    }
    for (let i = cuts.length - 1, start = 0; i >= 0; i--) {
      const text = piece.slice(start, cuts[i]);
      start = cuts[i]!;
      const id = ids.get(text);
      const fallen = id === undefined ? bytes?.(text) : undefined;
      if (fallen !== undefined) into.push(...fallen);
      else into.push(id ?? unknown(text, name, ids));
    }
  };
  return { ids, encode };
}

/** Where the best token that ends at each place begins, and its number. */
function bestPath(
  piece: string,
  { edges, ends }: Trie,
  scores: Float64Array,
  unknownScore: number,
  unknownId: number,
): { from: Int32Array; chosen: Int32Array } {
  const best = new Float64Array(piece.length + 1);
  const from = new Int32Array(piece.length + 1).fill(-1);
  const chosen = new Int32Array(piece.length + 1);
  const offer = (start: number, end: number, score: number, id: number): void => {
    if (from[end] !== -1 && best[start]! + score <= best[end]!) return;
    best[end] = best[start]! + score;
    from[end] = start;
    chosen[end] = id;
  };
  for (let start = 0; start < piece.length;) {
    const width = piece.codePointAt(start)! > 0xffff ? 2 : 1;
    let single = false;
    for (let at = start, node = 0; at < piece.length;) {
      node = edges.get(node, piece.charCodeAt(at++));
      if (node < 0) break;
      const id = ends[node]!;
      if (id < 0) continue;
      offer(start, at, scores[id]!, id);
      single ||= at - start === width;
    }
    if (!single) offer(start, start + width, unknownScore, unknownId);
    start += width;
  }
  return { from, chosen };
}

/** The tokens' UTF-16 units as edges between numbered nodes, of which 0 is the root; the token that ends at each, or -1. */
interface Trie {
  readonly edges: PairTable;
  readonly ends: readonly number[];
}

function trieOf(ids: ReadonlyMap<string, number>): Trie {
  const edges = new PairTable(ids.size * 4);
  const ends = [-1];
  for (const [text, id] of ids) {
    let node = 0;
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i);
      let next = edges.get(node, unit);
      if (next < 0) {
        next = ends.push(-1) - 1;
        edges.set(node, unit, next);
      }
      node = next;
    }
    if (node > 0) ends[node] = id;
  }
  return { edges, ends };
}
