import type { Normalizer } from './normalizers.js';

/**
 * The normaliser of a SentencePiece model: a double-array trie (Darts: units of 32 bits, bits 0-7 the label or bit 31 for a value,
 * bit 8 "a key ends here", bits 10-30 the offset, bit 9 its scale) of UTF-8 texts and, after it, what they become, each ended by a zero.
 */
export function precompiled(charsmap: string): Normalizer {
  const bytes = Buffer.from(charsmap, 'base64');
  const trieBytes = bytes.length < 4 ? -1 : bytes.readUInt32LE(0);
  if (trieBytes < 4 || trieBytes % 4 !== 0 || 4 + trieBytes > bytes.length) throw new Error('its precompiled_charsmap is damaged');
  const units = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + i * 4));
  const results = bytes.subarray(4 + trieBytes);
  const known = new Map<string, string | undefined>();

  /** What the shortest key that a text begins with becomes. */
  const lookUp = (text: string): string | undefined => {
    let node = offsetOf(units[0]!);
    for (const byte of Buffer.from(text)) {
      if (byte === 0) return undefined;
      node ^= byte;
      const unit = units[node] ?? 0;
      if ((unit & 0x800000ff) !== byte) return undefined;
      node ^= offsetOf(unit);
      if (((unit >>> 8) & 1) === 1) {
        const from = (units[node] ?? 0) & 0x7fffffff;
        const end = results.indexOf(0, from);
        return results.toString('utf8', from, end < 0 ? results.length : end);
      }
    }
    return undefined;
  };
  const changed = (text: string): string | undefined => {
    if (!known.has(text)) {
      if (known.size > 50_000) known.clear();
      known.set(text, lookUp(text));
    }
    return known.get(text);
  };

  return (text, beginning) => {
    let made = '';
    for (const cluster of clusters(text)) {
      const whole = Buffer.byteLength(cluster) < 6 ? changed(cluster) : undefined;
      if (whole !== undefined) made += whole;
      else for (const character of cluster) made += changed(character) ?? character;
      if (made === '') beginning.cut = true;
    }
    return made;
  };
}

const offsetOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);

let segmenter: Intl.Segmenter | undefined;

const ASCII = /^[\0-\x7f]*$/;

/** The characters as a reader sees them (extended grapheme clusters). */
function clusters(text: string): Iterable<string> {
  if (ASCII.test(text)) return text.match(/\r\n|[^]/g) ?? [];
  segmenter ??= new Intl.Segmenter('und', { granularity: 'grapheme' });
  return Array.from(segmenter.segment(text), ({ segment }) => segment);
}
