import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import {
  fromNpy,
  fromNpz,
  fromSafetensors,
  fromWav,
  loadTokenizer,
  readNpy,
  readNpz,
  readSafetensors,
  setNoticeHandler,
} from '../index.js';
import { at, expected, expectElements } from './everyday.testing.js';

const grid = [
  [0, 1, 2],
  [3, 4, 5],
];

describe('NumPy files', () => {
  it.each(['version-1.npy', 'version-2.npy', 'version-3.npy', 'python-2.npy'])('%s', (name) =>
    expectElements(() => fromNpy(at(name)), grid),
  );

  it('have arrays without axes, truth values, half floats of either byte order', () => {
    expect(readNpy(at('scalar.npy'))).toMatchObject({ shape: [], dtype: 'float64', data: Float64Array.of(2.5) });
    expect(readNpy(at('bool.npy'))).toMatchObject({ dtype: 'bool', data: Uint8Array.of(1, 0) });
    expect(readNpy(at('big-endian-half.npy')).data).toEqual(Float32Array.of(0.5, -2, 65504));
  });

  it.each([
    ['structure.npy', /structure\.npy holds values of the type of a structure, which cannot be read/],
    ['complex.npy', /type <c16, which cannot be read/],
    ['dates.npy', /type <M8\[D\], which cannot be read/],
    ['scalar.npy', /holds a single value; an array with rows was expected/],
  ])('%s is refused', (name, message) => expect(() => fromNpy(at(name))).toThrow(message));

  it('stand together in archives, packed or not, with sizes of 64 bits', async () => {
    const rows = grid.map((x, i) => ({ x, y: i + 1 }));
    await expectElements(() => fromNpz(at('several.npz'), ['x', 'y']), rows);
    await expectElements(() => fromNpz(at('packed.npz')), rows);
    await expectElements(() => fromNpz(at('zip64.npz')), grid.map((x) => ({ x }))); // prettier-ignore
    expect((await readNpz(at('packed.npz')))['x']!.data).toEqual(Float32Array.of(0, 1, 2, 3, 4, 5));
    expect(() => fromNpz(at('several.npz'))).toThrow(/several\.npz, array name holds values of the type <U4, .* name the arrays to read/);
    expect(() => fromNpz(at('bzip2.npz'))).toThrow(/bzip2\.npz: member x\.npy is compressed in a way that cannot be read \(12\)/);
    expect(() => fromNpz(at('none.npz'))).toThrow(/none\.npz holds no arrays/);
  });
});

describe('safetensors files', () => {
  it('have half floats of either kind', () => {
    const { half, brain, flag } = readSafetensors(at('halves.safetensors'));
    expect([...half!.data]).toEqual([1, 2.5]);
    expect([...brain!.data]).toEqual(expected.brain);
    expect(flag).toMatchObject({ dtype: 'bool', data: Uint8Array.of(1, 0) });
    expect(() => fromSafetensors(at('eighth.safetensors'))).toThrow(/array x: values of the type F8_E4M3 cannot be read/);
  });

  it('go on from any position', () =>
    expectElements(() => fromSafetensors(at('halves.safetensors'), ['half', 'flag']), [{ half: 1, flag: true }, { half: 2.5, flag: false }])); // prettier-ignore
});

describe('sounds', () => {
  it.each(Object.keys(expected.sounds))('%s', (name) => expectElements(() => fromWav(at(name)), [expected.sounds[name]]));
  it('of µ-law have the values of ITU-T G.711', async () => {
    const [sound] = await fromWav(at('mu-law.wav')).toArray(); // the bytes 0, 128, 255, 1
    expect([...sound!.data]).toEqual([-32124, 32124, 0, -31100].map((value) => value / 32768));
  });
});

describe('tokenizers', () => {
  it.each(Object.keys(expected.tokenizers))('%s gives the tokens of the package tokenizers', async (name) => {
    const tokenizer = await loadTokenizer(at(`tokenizer-${name}.json`));
    expect(expected.tokenizers[name]!.map(([text]) => [text, [...tokenizer.encode(text)]])).toEqual(expected.tokenizers[name]);
  });

  it('without a token for what is unknown end in an error instead of another token', async () => {
    const json = JSON.parse(readFileSync(at('tokenizer-pieces.json'), 'utf8')) as {
      model: { unk_token: string };
    };
    json.model.unk_token = '[NONE]';
    const { writeFileSync, mkdtempSync, rmSync } = await import('node:fs');
    const folder = mkdtempSync(`${(await import('node:os')).tmpdir()}/orbit-tokenizer-`);
    const path = `${folder}/tokenizer.json`;
    writeFileSync(path, JSON.stringify(json));
    await expect(loadTokenizer(path).then((made) => made.encode('zzz unknown'))).rejects.toThrow(
      /is no token, and there is no token \[NONE\] for what is unknown/,
    );
    const notices: string[] = [];
    setNoticeHandler((message) => void notices.push(message));
    writeFileSync(
      path,
      JSON.stringify({ ...json, truncation: { max_length: 2, strategy: 'LongestFirst', stride: 0, direction: 'Right' } }),
    );
    await loadTokenizer(path);
    setNoticeHandler();
    expect(notices).toEqual([`${path}: its truncation is not applied; texts become all their tokens.`]);
    rmSync(folder, { recursive: true });
  });
});
