/** Weights in NumPy's `.npz` files, every value as it is: no type is changed. */
import { closeSync, openSync, readSync } from 'node:fs';
import { CheckpointError, DataError } from '../errors.js';
import { decodeNpyHeader, readMember, writeNpz, zipMembers, type NpzArray, type ZipMember } from '../npz/index.js';
import { bytesPerElement, elementCount, elementTypes } from './dtypes.js';
import { attempt, fileError, writeNewFile } from './files.js';
import { transposeTensor } from './layout.js';
import type { StateDType, StateTensor } from './state.js';

/** NumPy's codes; bfloat16 is not among them. */
const codes: Readonly<Partial<Record<StateDType, string>>> = {
  ...{ float64: 'f8', float32: 'f4', float16: 'f2', bool: 'b1' },
  ...{ int64: 'i8', int32: 'i4', int16: 'i2', int8: 'i1', uint64: 'u8', uint32: 'u4', uint16: 'u2', uint8: 'u1' },
};
const byCode = new Map(Object.entries(codes).map(([dtype, code]) => [code, dtype as StateDType]));

/**
 * Writes weights as `numpy.savez` does, one array per weight.
 * @param file must not exist
 * @throws CheckpointError if a tensor has a type that NumPy lacks, or the file cannot be written
 */
export async function writeNpzWeights(file: string, tensors: ReadonlyMap<string, StateTensor>): Promise<void> {
  const foreign = [...tensors].filter(([, t]) => codes[t.dtype] === undefined).map(([name, t]) => `${name} (${t.dtype})`);
  if (foreign.length > 0)
    throw new CheckpointError(`Cannot write "${file}": NumPy has no type for ${foreign.join(', ')}. Write .safetensors instead.`);
  const array = ({ dtype, shape, data }: StateTensor): NpzArray => ({
    descr: `${bytesPerElement(dtype) === 1 ? '|' : '<'}${codes[dtype]}`,
    shape,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  });
  const arrays = new Map([...tensors].map(([name, tensor]) => [name, array(tensor)]));
  await attempt('write', file, () => writeNewFile(file, (handle) => writeNpz(handle, arrays)));
}

/**
 * Reads the arrays of a `.npz` file, also compressed ones and those that lie column by column.
 * @throws CheckpointError that names every array whose type is none of a tensor, or says what is wrong with the file
 */
export async function readNpzWeights(file: string): Promise<Map<string, StateTensor>> {
  const tensors = new Map<string, StateTensor>();
  const foreign: string[] = [];
  try {
    for (const member of zipMembers(file, readBytes)) {
      const name = member.name.replace(/\.npy$/, '');
      const tensor = readArray(member, `${file}, array ${name}`);
      if (typeof tensor === 'string') foreign.push(`${name} (${tensor})`);
      else tensors.set(name, tensor);
    }
  } catch (error) {
    throw error instanceof DataError ? new CheckpointError(error.message, { cause: error }) : error;
  }
  if (foreign.length > 0)
    throw new CheckpointError(`Cannot read "${file}": these arrays are neither floats nor integers nor booleans: ${foreign.join(', ')}.`);
  return tensors;
}

/** A member as a tensor, or the name of its type if no tensor has it. */
function readArray(member: ZipMember, place: string): StateTensor | string {
  const bytes = readMember(member);
  const { descr, shape, fortran, headerBytes } = decodeNpyHeader(bytes, place);
  const dtype = byCode.get(descr?.slice(1) ?? '');
  if (dtype === undefined) return descr ?? 'a structure';
  const data = new elementTypes[dtype].array(elementCount(shape));
  if (bytes.length !== headerBytes + data.byteLength)
    throw new DataError(`${place} is damaged: ${data.byteLength} bytes of values were expected, ${bytes.length - headerBytes} are there.`);
  const values = Buffer.from(data.buffer);
  values.set(bytes.subarray(headerBytes));
  if (descr!.startsWith('>')) swap(values, bytesPerElement(dtype));
  return fortran ? transposeTensor({ dtype, shape: [...shape].reverse(), data }) : { dtype, shape, data };
}

function swap(values: Buffer, size: number): void {
  if (size === 2) values.swap16();
  else if (size === 4) values.swap32();
  else if (size === 8) values.swap64();
}

function readBytes(file: string, length: number, offset: number): Uint8Array {
  try {
    const descriptor = openSync(file, 'r');
    try {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(descriptor, bytes, 0, length, offset));
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    throw fileError('read', file, error);
  }
}
