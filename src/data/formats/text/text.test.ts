import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  fromTextLines, fromWav, iris, loadTokenizer, tokenBlocks, fromItems, byteTokenizer, charTokenizer, sonnets,
} from '../../index.js'; // prettier-ignore
import { at, expected, testFolder } from '../checked-in.testing.js';

const { directory, write } = testFolder();

describe('sound and text', () => {
  it.each([
    ['pcm_u8', 1 / 128],
    ['pcm_16', 2 ** -15],
    ['pcm_24', 2 ** -23],
    ['pcm_32', 2 ** -24],
    ['float', 2 ** -24],
    ['double', 2 ** -24],
  ])('reads WAV of %s', async (kind, step) => {
    const [sound] = await fromWav(at(`sound-${kind}.wav`), { sampleRate: 8000 }).toArray();
    expect(sound!.shape).toEqual([20, 2]);
    expected.ramp.flat().forEach((value, i) => expect(Math.abs(sound!.data[i]! - value)).toBeLessThanOrEqual(step));
    expect((await fromWav(at(`sound-${kind}.wav`), { frames: 30 }).toArray())[0]!.shape).toEqual([30, 2]);
    await expect(fromWav(at(`sound-${kind}.wav`), { sampleRate: 16000 }).toArray()).rejects.toThrow(/8000 frames per second, but 16000/);
  });

  it('gives the tokens of the library that learnt a tokenizer.json', async () => {
    const tokenizer = await loadTokenizer(at('tokenizer.json'));
    expect(tokenizer.vocabularySize).toBe(expected.vocabulary_size);
    for (const { text, ids } of expected.tokens) {
      expect([...tokenizer.encode(text)]).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    for (const one of [byteTokenizer(), charTokenizer(sonnets.join(''))]) expect(one.decode(one.encode(sonnets[0]!))).toBe(sonnets[0]);
    expect(() => charTokenizer('abc').encode('abd')).toThrow(/"d" is not in the tokenizer's alphabet of 3/);
    expect(() => byteTokenizer().decode([256])).toThrow(/256 is no token/);
  });

  it('cuts texts into inputs and targets', async () => {
    const rows = await tokenBlocks(fromItems(['abc', 'defg']), byteTokenizer(), { length: 3, separator: 0 }).toArray();
    expect(rows.map(([inputs, targets]) => [[...inputs.data], [...targets.data]])).toEqual([
      [
        [97, 98, 99],
        [98, 99, 0],
      ],
      [
        [0, 100, 101],
        [100, 101, 102],
      ],
    ]);
  });

  it('keeps byte-order marks of texts, and refuses separators that are no tokens', () => {
    expect(byteTokenizer().decode(byteTokenizer().encode('\ufeffa\ufeff'))).toBe('\ufeffa\ufeff');
    for (const separator of [256, -1, 0.5, NaN])
      expect(() => tokenBlocks(fromItems(['a']), byteTokenizer(), { length: 1, separator })).toThrow(/expected one of the tokens 0 to 255/);
  });

  it('reads lines with either line end and without a last one', async () => {
    expect(await fromTextLines(write('a.txt', 'one\r\n\ntwo\nthree')).toArray()).toEqual(['one', 'two', 'three']);
    expect(await fromTextLines(join(directory, 'a.txt'), { keepEmpty: true }).toArray()).toEqual(['one', '', 'two', 'three']);
  });

  it('has six sonnets', () => {
    expect(sonnets.map((text) => text.match(/\n/g)!.length)).toEqual([14, 14, 14, 14, 14, 14]);
  });

  it('has iris', async () => {
    const rows = await iris().toArray();
    expect(rows.length).toBe(150);
    expect([...rows[0]![0].data]).toEqual([5.1, 3.5, 1.4, 0.2].map(Math.fround));
    // Fisher's own values, which some copies have wrong in the flowers 35 and 38.
    const mean = (axis: number): number => rows.reduce((sum, [measures]) => sum + measures.data[axis]!, 0) / 150;
    [5.843333, 3.057333, 3.758, 1.199333].forEach((value, axis) => expect(mean(axis)).toBeCloseTo(value, 5));
    expect([0, 1, 2].map((label) => rows.filter(([, species]) => species.data[0] === label).length)).toEqual([50, 50, 50]);
  });
});
