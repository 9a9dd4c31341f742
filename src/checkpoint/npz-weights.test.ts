import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CheckpointError } from '../errors.js';
import { readNpz } from '../data/index.js';
import { readWeights, writeWeights } from './index.js';
import type { StateTensor } from './index.js';

let root: string;
beforeEach(() => (root = mkdtempSync(path.join(tmpdir(), 'orbit-npz-'))));
afterEach(() => rmSync(root, { recursive: true, force: true }));

/** What generate-numpy-weights.py saved, but for byte order and layout. */
const saved = new Map<string, StateTensor>([
  ['dense/kernel', { dtype: 'float32', shape: [2, 3], data: Float32Array.of(0, 0.25, 0.5, 0.75, 1, 1.25) }],
  ['dense/transposed', { dtype: 'float32', shape: [3, 2], data: Float32Array.of(0, 0.75, 0.25, 1, 0.5, 1.25) }],
  ['big_endian', { dtype: 'float64', shape: [2, 3], data: Float64Array.of(0, 0.125, 0.25, 0.375, 0.5, 0.625) }],
  ['half', { dtype: 'float16', shape: [3], data: Uint16Array.of(0x3c00, 0xb800, 0x7c00) }],
  ['long', { dtype: 'int64', shape: [2], data: BigInt64Array.of(2n ** 62n, -1n) }],
  ['mask', { dtype: 'bool', shape: [2], data: Uint8Array.of(1, 0) }],
  ['scalar', { dtype: 'uint16', shape: [], data: Uint16Array.of(7) }],
]);
const fixture = path.resolve(import.meta.dirname, '../../tests/fixtures/numpy-weights.npz');
const python = spawnSync('python3', ['-c', '']).status === 0;

/** Says of a .npz file, with Python's own reader of archives, whether its checksums hold, and the header and bytes of each array. */
const inspect = `
import ast, json, struct, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
def parts(name):
    raw = archive.read(name)
    assert raw[:8] == b"\\x93NUMPY\\x01\\x00"
    end = 10 + struct.unpack("<H", raw[8:10])[0]
    assert end % 64 == 0 and raw[end - 1:end] == b"\\n"
    head = ast.literal_eval(raw[10:end].decode())
    return [head["descr"], head["fortran_order"], list(head["shape"]), raw[end:].hex()]
print(json.dumps({i.filename: parts(i.filename) for i in archive.infolist()}))
`;

describe('weights in .npz files', () => {
  it('of NumPy are read with their types, compressed, big-endian or column by column', async () => {
    expect(await readWeights(fixture)).toEqual(saved);
  });

  it('are written and read without any change', async () => {
    const file = path.join(root, 'a.npz');
    const more = new Map([...saved, ['empty', { dtype: 'int8', shape: [0, 3], data: new Int8Array() } as StateTensor]]);
    await writeWeights(file, more);
    expect(await readWeights(file)).toEqual(more);
    const kernel = (await readNpz(file, ['dense/kernel']))['dense/kernel']!;
    expect([kernel.shape, kernel.data]).toEqual([[2, 3], saved.get('dense/kernel')!.data]);
  });

  it.skipIf(!python)('are whole archives of arrays for Python (skipped where there is no python3)', async () => {
    const file = path.join(root, 'a.npz');
    await writeWeights(file, saved);
    const { stdout, stderr } = spawnSync('python3', ['-c', inspect, file], { encoding: 'utf8' });
    expect(stderr).toBe('');
    const arrays = JSON.parse(stdout) as Record<string, unknown>;
    expect(Object.keys(arrays)).toEqual([...saved.keys()].map((name) => `${name}.npy`));
    expect(arrays['dense/transposed.npy']).toEqual(['<f4', false, [3, 2], '000000000000403f0000803e0000803f0000003f0000a03f']);
    expect(arrays['long.npy']).toEqual(['<i8', false, [2], '0000000000000040ffffffffffffffff']);
    expect(arrays['mask.npy']).toEqual(['|b1', false, [2], '0100']);
    expect(arrays['scalar.npy']).toEqual(['<u2', false, [], '0700']);
  });

  it('of types that NumPy lacks are refused by name, and nothing is left', async () => {
    const file = path.join(root, 'a.npz');
    const half: StateTensor = { dtype: 'bfloat16', shape: [1], data: Uint16Array.of(0x3f80) };
    await expect(writeWeights(file, new Map([['w', half]]))).rejects.toThrow(/NumPy has no type for w \(bfloat16\)/);
    await expect(readWeights(file)).rejects.toThrow(CheckpointError);
  });

  it('that are damaged or missing are an error with the file', async () => {
    const file = path.join(root, 'a.npz');
    await expect(readWeights(file)).rejects.toThrow(/Cannot read ".*a\.npz": it does not exist/);
    const whole = readFileSync(fixture);
    writeFileSync(file, whole.subarray(0, whole.length - 40));
    await expect(readWeights(file)).rejects.toThrow(CheckpointError);
    await writeWeights(path.join(root, 'b.npz'), saved);
    const bytes = readFileSync(path.join(root, 'b.npz'));
    bytes[200]! ^= 1; // in the values of the first array
    writeFileSync(file, bytes);
    await expect(readWeights(file)).rejects.toThrow(/a\.npz.*checksum of member dense\/kernel\.npy does not match/);
  });
});
