import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { NDArray } from '../../ndarray.js';
import { readNpz } from '../npy/index.js';
import { fromImageFolder, fromImages, type ImageOptions } from './index.js';

// Written by Pillow, with what Pillow and torchvision make of them: scripts/make-image-fixtures.py.
const folder = join(import.meta.dirname, '../../../../tests/fixtures/images');
const files = readdirSync(folder).filter((name) => !name.endsWith('.npz'));
const expected = await readNpz(join(folder, 'pillow.npz'));
const directory = mkdtempSync(join(tmpdir(), 'orbit-images-'));
afterAll(() => rmSync(directory, { recursive: true }));

async function read(path: string, options: ImageOptions = {}): Promise<NDArray<'uint8'>> {
  return (await fromImages(path, { ...options, dtype: 'uint8' }).toArray())[0]! as NDArray<'uint8'>;
}

/** Largest and mean difference from an expected array of the same shape. */
function difference(found: NDArray<'uint8'>, key: string): { readonly most: number; readonly mean: number } {
  const wanted = expected[key]!;
  expect(found.shape).toEqual(wanted.shape);
  const differences = Array.from(wanted.data, (value, i) => Math.abs(Number(value) - found.data[i]!));
  return { most: Math.max(...differences), mean: differences.reduce((sum, d) => sum + d, 0) / differences.length };
}

describe('images', () => {
  it.each(files)('decodes %s to the values of Pillow, whatever its layout', async (name) => {
    const { most, mean } = difference(await read(join(folder, name)), `${name}/whole`);
    // JPEG leaves the rounding of its transform to the decoder, and how it smooths halved colour.
    expect(most).toBeLessThanOrEqual(name.endsWith('.jpg') ? 6 : 0);
    expect(mean).toBeLessThanOrEqual(0.6);
  });

  it.each(['rgb.png', 'grey.png', 'deep.png', 'transparent.png', '420.jpg'])(
    'scales %s as Pillow and torchvision do, smaller and larger',
    async (name) => {
      const limit = name.endsWith('.jpg') ? 4 : 1;
      const found = async (options: ImageOptions, key: string): Promise<void> =>
        expect(difference(await read(join(folder, name), options), `${name}/${key}`).most, key).toBeLessThanOrEqual(limit);
      await found({ size: [30, 24] }, 'stretched');
      await found({ size: [50, 90] }, 'enlarged');
      for (const size of [[20, 21], [33, 20], [58, 60]] as const) await found({ size, fit: 'crop' }, `crop ${size.join('x')}`); // prettier-ignore
      await found({ channels: 1 }, 'grey');
    },
  );

  it('cuts random parts out of the image and scales them', async () => {
    const whole = await read(join(folder, 'rgb.png'));
    for (let seed = 0; seed < 20; seed++) {
      // A part of constant colour stays so; the extremes of a part lie within those of the whole.
      const [part] = await fromImages(join(folder, 'rgb.png'), { size: 20, fit: 'random_crop', seed, dtype: 'uint8' }).toArray();
      expect(part!.shape).toEqual([20, 20, 3]);
      for (let channel = 0; channel < 3; channel++) {
        const of = (data: Uint8Array): number[] => [...data].filter((_, i) => i % 3 === channel);
        expect(Math.min(...of(part!.data))).toBeGreaterThanOrEqual(Math.min(...of(whole.data)));
        expect(Math.max(...of(part!.data))).toBeLessThanOrEqual(Math.max(...of(whole.data)));
      }
    }
  });

  it('mirrors exactly, half of the time', async () => {
    const straight = await read(join(folder, 'rgb.png'));
    const [height, width] = straight.shape as [number, number, number];
    const mirrored = straight.data.slice();
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        mirrored.set(straight.data.subarray((y * width + width - 1 - x) * 3, (y * width + width - x) * 3), (y * width + x) * 3);
    const passes = await fromImages(join(folder, 'rgb.png'), { flip: true, dtype: 'uint8' }).repeat(40).toArray();
    const flips = passes.map(({ data }) => [straight.data, mirrored].findIndex((one) => Buffer.compare(one, data) === 0));
    expect(flips).not.toContain(-1);
    const count = flips.reduce((sum, flip) => sum + flip, 0);
    expect(count).toBeGreaterThan(8);
    expect(count).toBeLessThan(32);
  });

  it('normalises per channel', async () => {
    const [mean, std] = [[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]] as const; // prettier-ignore
    const [values] = await fromImages(join(folder, 'rgb.png'), { normalize: { mean, std } }).toArray();
    const { data } = expected['rgb.png/whole']!;
    for (let i = 0; i < data.length; i++) expect(values!.data[i]).toBeCloseTo((Number(data[i]) / 255 - mean[i % 3]!) / std[i % 3]!, 5);
  });

  it('gives the same parts and mirrors for a seed, others in another pass', async () => {
    const open = (seed: number) =>
      fromImages([join(folder, 'rgb.png'), join(folder, '420.jpg')], { size: 16, fit: 'random_crop', flip: true, seed })
        .repeat(2)
        .toArray();
    const [first, again, other] = [await open(1), await open(1), await open(2)];
    expect(again).toEqual(first);
    expect(other).not.toEqual(first);
    expect(first.slice(2)).not.toEqual(first.slice(0, 2));
  });
});

describe('images that cannot be used', () => {
  it.each(files.filter((name) => name !== 'thumbnail.jpg'))('refuses %s cut anywhere', async (name) => {
    const bytes = readFileSync(join(folder, name));
    const path = join(directory, `cut-${name}`);
    const last = name.endsWith('.png') ? [] : [1 - 1 / bytes.length]; // the last bytes of a PNG file hold nothing of the image
    for (const share of [0.02, 0.3, 0.6, 0.97, ...last]) {
      writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * share)));
      await expect(read(path), `${share} of ${name}`).rejects.toThrow(
        /cut-.* cannot be decoded as an image: .+\. Is it truncated, or of another format\?/,
      );
    }
  });

  it('does not take the end of a thumbnail for the end of the image, nor what follows the end for damage', async () => {
    const bytes = readFileSync(join(folder, 'thumbnail.jpg'));
    const path = join(directory, 'thumbnail.jpg');
    writeFileSync(path, bytes.subarray(0, bytes.length - 200));
    await expect(read(path)).rejects.toThrow(/thumbnail\.jpg cannot be decoded as an image: the file ends in the middle of the image/);
    writeFileSync(path, Buffer.concat([bytes, Buffer.alloc(100)]));
    expect(difference(await read(path), '444.jpg/whole').most).toBeLessThanOrEqual(6);
  });

  it.each([
    ['an empty file', '', /e\.png cannot be decoded as an image: the file is empty/],
    ['a text', 'this is no image', /e\.png cannot be decoded as an image/],
  ])('refuses %s', async (_, text, message) => {
    writeFileSync(join(directory, 'e.png'), text);
    await expect(read(join(directory, 'e.png'))).rejects.toThrow(message);
  });

  it('names a file that is not there, and a directory', async () => {
    await expect(read(join(directory, 'none.png'))).rejects.toThrow(/none\.png cannot be read: there is no such file/);
    await expect(read(directory)).rejects.toThrow(/cannot be read: it is a directory/);
  });

  it('leaves out images that cannot be decoded, up to a limit', async () => {
    for (const name of ['good', 'worse']) mkdirSync(join(directory, 'pictures', name), { recursive: true });
    copyFileSync(join(folder, 'rgb.png'), join(directory, 'pictures/good/a.png'));
    writeFileSync(join(directory, 'pictures/worse/x.png'), 'this is no image');
    await expect(fromImageFolder(join(directory, 'pictures')).toArray()).rejects.toThrow(/x\.png cannot be decoded as an image/);
    expect(await fromImageFolder(join(directory, 'pictures'), { onBadRecord: { skip: 1 } }).toArray()).toHaveLength(1);
  });
});
