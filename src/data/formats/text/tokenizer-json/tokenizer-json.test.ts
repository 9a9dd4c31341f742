import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { testFolder } from '../../checked-in.testing.js';
import { loadTokenizer } from '../tokenizers.js';

// Tokenizers learnt by the tokenizers package, and what it makes of odd texts: scripts/make-tokenizer-fixtures.py.
const folder = join(import.meta.dirname, '../../../../../tests/fixtures/tokenizers');

interface Expected {
  readonly size: number;
  readonly ids: number[][];
  readonly texts: string[];
  readonly idsWithSpecial: number[][];
  readonly textsWithSpecial: string[];
}
const { texts, expected } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as {
  readonly texts: string[];
  readonly expected: Record<string, Expected>;
};

const { write } = testFolder();
let written = 0;

interface Json {
  [part: string]: unknown;
  model: { type: string; unk_token: string; merges: (string | string[])[] };
  added_tokens: object[];
}

/** A tokenizer.json of our own making: that of `name` with some parts changed. */
function changed(name: string, change: (json: Json) => void): string {
  const json = JSON.parse(readFileSync(join(folder, `${name}.json`), 'utf8')) as Json;
  change(json);
  return write(`${written++}-tokenizer.json`, JSON.stringify(json));
}

describe('loadTokenizer', () => {
  it.each(Object.entries(expected))('makes of odd texts with %s what the tokenizers package makes of them', async (name, wanted) => {
    const plain = await loadTokenizer(join(folder, `${name}.json`));
    const special = await loadTokenizer(join(folder, `${name}.json`), { specialTokens: true });
    expect(plain.vocabularySize).toBe(wanted.size);
    texts.forEach((text, i) => {
      expect([text, ...plain.encode(text)]).toEqual([text, ...wanted.ids[i]!]);
      expect([text, ...special.encode(text)]).toEqual([text, ...wanted.idsWithSpecial[i]!]);
      // Versions of the package differ in the letter case of added tokens that are looked for in normalised text.
      if (name === 'added') return;
      expect(plain.decode(wanted.ids[i]!)).toBe(wanted.texts[i]);
      expect(special.decode(wanted.idsWithSpecial[i]!)).toBe(wanted.textsWithSpecial[i]);
    });
  });

  it('takes halves of surrogate pairs for U+FFFD, as UTF-8 does', async () => {
    for (const name of ['gpt2', 'llama-metaspace', 'bert-uncased', 't5']) {
      const tokenizer = await loadTokenizer(join(folder, `${name}.json`));
      expect(tokenizer.encode('a\ud83d b\udc4d')).toEqual(tokenizer.encode('a\ufffd b\ufffd'));
    }
  });

  it('keeps to its time for a word of hundreds of kilobytes', async () => {
    const word = 'abcdefghij'.repeat(30_000);
    for (const name of ['gpt2', 'llama-first', 'unigram-bytes', 'bert-uncased']) {
      const tokenizer = await loadTokenizer(join(folder, `${name}.json`));
      const tokens = tokenizer.encode(word);
      expect(tokens.length).toBeGreaterThan(name === 'bert-uncased' ? 0 : 30_000);
      if (name !== 'bert-uncased') expect(tokenizer.decode(tokens)).toBe(word);
    }
  });

  it('keeps to its time for a long run of spaces before a word', async () => {
    const text = `${' '.repeat(200_000)}a`;
    for (const name of Object.keys(expected)) {
      const tokenizer = await loadTokenizer(join(folder, `${name}.json`));
      expect(tokenizer.encode(text).length, name).toBeGreaterThan(0);
    }
  });

  it.each([
    ['normalizer', { type: 'Sequence', normalizers: [{ type: 'Fold' }] }, /its normalizer "Fold" is not supported/],
    ['pre_tokenizer', { type: 'UnicodeScripts' }, /its pre_tokenizer "UnicodeScripts" is not supported/],
    [
      'pre_tokenizer',
      { type: 'Split', behavior: 'Isolated' },
      /its Split "pattern" is undefined, an object with a String or a Regex was expected/,
    ],
    [
      'pre_tokenizer',
      { type: 'Split', behavior: 'Halved', pattern: { String: ' ' } },
      /its Split "behavior" is "Halved", Removed, Isolated/,
    ],
    ['pre_tokenizer', { type: 'Split', behavior: 'Isolated', pattern: { Regex: '(' } }, /cannot be used as a tokenizer: /],
    ['decoder', { type: 'Morse' }, /its decoder "Morse" is not supported/],
    ['post_processor', { type: 'Prayer' }, /its post_processor "Prayer" is not supported/],
    ['normalizer', 'NFC', /its "normalizer" is "NFC", an object was expected/],
  ])('refuses a %s that it does not know or that is damaged: %j', async (name, part, message) => {
    const path = changed('gpt2', (json) => (json[name] = part));
    await expect(loadTokenizer(path, { specialTokens: true })).rejects.toThrow(message);
  });

  it('refuses models of other kinds, merges of tokens that are not there, and numbers that mean two things', async () => {
    const refused = (change: (json: Json) => void) => expect(loadTokenizer(changed('gpt2', change))).rejects;
    await refused((json) => (json.model.type = 'Syllables')).toThrow(/its model "Syllables" is not supported/);
    await refused((json) => json.model.merges.push(['q', 'zz'])).toThrow(
      /merge \d+ \(q zz\) needs the token "zz", which its vocabulary does not have/,
    );
    const token = { special: false, single_word: false, lstrip: false, rstrip: false, normalized: false };
    await refused((json) => json.added_tokens.push({ id: 1000, content: '<far>', ...token })).toThrow(
      /"<far>" has the number 1000, where 420 was expected/,
    );
    await refused((json) => json.added_tokens.push({ id: 421, content: 'A', ...token })).toThrow(
      /"A" has the number 421, where \d+ was expected/,
    );
  });

  it('reads merges as older files have them: pairs in one text, after the first line of a merges.txt', async () => {
    const path = changed(
      'gpt2',
      ({ model }) => (model.merges = ['#version: 0.2', ...model.merges.map((pair) => (pair as string[]).join(' '))]),
    );
    const tokenizer = await loadTokenizer(path);
    texts.forEach((text, i) => expect([...tokenizer.encode(text)]).toEqual(expected['gpt2']!.ids[i]));
  });

  it('says which text has no tokens', async () => {
    const path = changed('words', (json) => (json.model.unk_token = '<none>'));
    const tokenizer = await loadTokenizer(path);
    expect(() => tokenizer.encode('xyzzy')).toThrow(/the text "xyzzy" is no token, and there is no token <none> for what is unknown/);
  });
});
