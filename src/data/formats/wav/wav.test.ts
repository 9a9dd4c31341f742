import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import { testFolder } from '../checked-in.testing.js';
import { fromWav, readWav } from './index.js';

// Written by soundfile and scipy, with what soundfile reads of them: scripts/make-wav-fixtures.py.
const folder = join(import.meta.dirname, '../../../../tests/fixtures/wav');
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<
  string,
  { readonly shape: number[]; readonly rate: number; readonly data: number[] }
>;
const { write } = testFolder();

describe('readWav', () => {
  it.each(Object.entries(expected))('reads of %s what soundfile reads', async (name, { shape, rate, data }) => {
    const { samples, sampleRate } = await readWav(join(folder, name));
    expect({ shape: samples.shape, sampleRate, data: [...samples.data] }).toEqual({ shape, sampleRate: rate, data });
  });

  it.each([
    [
      'ima_adpcm',
      /samples of format 17 \(IMA ADPCM\) with 4 bits in 1 channels; PCM of 8, 16, 24 or 32 bits, .* were expected\. Convert it/,
    ],
    ['gsm610', /samples of format 49 \(GSM 6\.10\)/],
    ['rifx', /is a WAV file with numbers in big-endian order \(RIFX\), which is not read\. Convert it/],
    ['w64', /is a Sony Wave64 file; WAV was expected\. Convert it/],
  ])('says why it does not read %s', async (name, message) => {
    await expect(readWav(join(folder, `refused-${name}.wav`))).rejects.toThrow(message);
  });

  it('refuses a file cut anywhere, and every number of channels or bits that there is not', async () => {
    const whole = readFileSync(join(folder, 'wav-pcm_16.wav'));
    for (let length = 0; length < whole.length; length += 7)
      await expect(readWav(write('cut.wav', whole.subarray(0, length)))).rejects.toThrow(/cut\.wav is (truncated|not a WAV file)/);
    for (const [at, value] of [[22, 0], [34, 0], [34, 12], [34, 64]] as const) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt16LE(value, at);
      await expect(readWav(write('odd.wav', bytes))).rejects.toThrow(/odd\.wav has samples of format 1 with \d+ bits in \d channels/);
    } // prettier-ignore
    const silent = Buffer.from(whole.subarray(0, whole.indexOf('data') + 8));
    silent.writeUInt32LE(0, silent.length - 4);
    await expect(fromWav(write('silent.wav', silent)).toArray()).rejects.toThrow(/silent\.wav holds no sound: it has 0 frames/);
  });
});
