import { DataError } from '../../../errors.js';
import { NDArray } from '../../ndarray.js';
import { fromImages } from '../images/index.js';
import { inspectTokenizer, type Tokenizer } from '../text/tokenizers.js';
import { readWav } from '../wav/index.js';
import { firstOf, type Found } from './summary.js';

/** A text of which the tokens are shown. */
const SAMPLE = 'Hello, world! 123';

/** Image files: the extents of the first, and their pixels. */
export async function inspectImages(files: readonly string[], rows: number): Promise<Found> {
  const first = (await firstOf(fromImages(files, { dtype: 'uint8' }), Math.max(1, rows))) as NDArray[];
  const type = `uint8[${extents(first)}] (height, width, channels)${ofTheFirst(first, files)}`;
  return { schema: [{ name: 'image', type }], records: files.length, first: first.slice(0, rows) };
}

/** Sound files: the lengths and rates of the first, and their samples. */
export async function inspectSounds(files: readonly string[], rows: number): Promise<Found> {
  const sounds = await Promise.all(files.slice(0, Math.max(1, rows)).map(readWav));
  const first = sounds.map(({ samples }) => samples);
  const rates = range(sounds.map(({ sampleRate }) => sampleRate));
  const seconds = range(sounds.map(({ samples, sampleRate }) => Number((samples.shape[0]! / sampleRate).toPrecision(3))));
  const type = `float32[${extents(first)}] (frames, channels), ${rates} frames per second, ${seconds} s${ofTheFirst(first, files)}`;
  return { schema: [{ name: 'samples', type }], records: files.length, first: first.slice(0, rows) };
}

/** A `tokenizer.json`: its parts, and what it makes of a short text. */
export async function inspectTokens([path]: readonly string[], rows: number): Promise<Found> {
  const { tokenizer, parts } = await inspectTokenizer(path!);
  const schema = [{ name: 'tokens', type: `int32, 0 to ${tokenizer.vocabularySize - 1}` }, ...parts];
  return { schema, records: undefined, first: rows === 0 ? [] : sampleOf(tokenizer) };
}

function sampleOf(tokenizer: Tokenizer): unknown[] {
  try {
    const tokens = tokenizer.encode(SAMPLE);
    const pieces = Array.from(tokens, (token) => tokenizer.decode([token]));
    return [{ text: SAMPLE, tokens: NDArray.of(tokens), pieces, decoded: tokenizer.decode(tokens) }];
  } catch (error) {
    if (error instanceof DataError) return []; // a vocabulary without these words, or a token for what is unknown
    throw error;
  }
}

/** The axes of several shapes: a length, or from the least to the largest. */
function extents(arrays: readonly NDArray[]): string {
  return arrays[0]!.shape.map((_, axis) => range(arrays.map(({ shape }) => shape[axis]!))).join(', ');
}

function range(values: readonly number[]): string {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return least === most ? String(least) : `${least} to ${most}`;
}

const ofTheFirst = (looked: readonly unknown[], files: readonly string[]): string =>
  looked.length < files.length ? `; of the first ${looked.length} files` : '';
