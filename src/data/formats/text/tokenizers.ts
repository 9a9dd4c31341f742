import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

import { DataError, UsageError } from '../../../errors.js';
import { asStage, readerOptions } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import { cannotRead } from '../../files/index.js';
import { NDArray } from '../../ndarray.js';
import { notice } from '../../notice.js';
import { describe, isRecord } from '../../structure.js';

/** Turns texts into lists of token numbers and back. */
export interface Tokenizer {
  /** Number of different tokens: every number is below it. */
  readonly vocabularySize: number;
  /** The tokens of a text. */
  encode(text: string): Int32Array;
  /** The text of tokens. Throws a {@link DataError} for a number that is no token. */
  decode(tokens: ArrayLike<number>): string;
}

/** One token per byte of the text's UTF-8 form. */
export function byteTokenizer(): Tokenizer {
  return {
    vocabularySize: 256,
    encode: (text) => Int32Array.from(new TextEncoder().encode(text)),
    decode: (tokens) => new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(tokens, (token) => known(token, 256))),
  };
}

/** One token per character (code point) of `alphabet`, in the order of their code points; a text with any other is a {@link DataError}. */
export function charTokenizer(alphabet: string): Tokenizer {
  if (typeof alphabet !== 'string') throw new UsageError(`charTokenizer needs a text, but ${describe(alphabet)} was given.`);
  const characters = [...new Set(alphabet)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  if (characters.length === 0) throw new UsageError('charTokenizer needs a text that has every character that can occur; it is empty.');
  const numbers = new Map(characters.map((character, i) => [character, i]));
  return {
    vocabularySize: characters.length,
    encode: (text) =>
      Int32Array.from([...text], (character) => {
        const number = numbers.get(character);
        if (number === undefined)
          throw new DataError(`The character ${JSON.stringify(character)} is not in the tokenizer's alphabet of ${characters.length}.`);
        return number;
      }),
    decode: (tokens) => Array.from(tokens, (token) => characters[known(token, characters.length)]).join(''),
  };
}

/**
 * The tokenizer of a Hugging Face `tokenizer.json` (byte-pair, WordPiece, unigram, whole words), the tokens of the package
 * `tokenizers`, without the special tokens around a text unless `specialTokens` is true. Of a `tokenizer_config.json` beside it
 * `clean_up_tokenization_spaces` counts. Throws a {@link DataError} for a file that is damaged or has a part that is not known here.
 */
export async function loadTokenizer(path: string, options?: { readonly specialTokens?: boolean }): Promise<Tokenizer> {
  const { specialTokens = false } = readerOptions<{ specialTokens?: boolean }>(options, 'loadTokenizer', { specialTokens: 'switch' });
  return tokenizerOf(path, await readJson(path), specialTokens);
}

async function tokenizerOf(path: string, json: Record<string, unknown>, specialTokens: boolean): Promise<Tokenizer> {
  checkTokenizer(path, json);
  const config = await readJson(join(dirname(path), 'tokenizer_config.json')).catch(() => ({}));
  const tidy = (config as { clean_up_tokenization_spaces?: unknown }).clean_up_tokenization_spaces === true;
  const { pipelineOf } = await import('./tokenizer-json/index.js');
  const named = <T>(what: string, make: () => T): T => {
    try {
      return make();
    } catch (error) {
      throw new DataError(`${path}${what}: ${(error as Error).message}.`, { cause: error });
    }
  };
  const pipeline = named(' cannot be used as a tokenizer', () => pipelineOf(json, { specialTokens, tidy }));
  const { size } = pipeline;
  return {
    vocabularySize: size,
    encode: (text) => Int32Array.from(named('', () => pipeline.encode(wellFormed(text)))),
    decode: (tokens) => {
      const texts = Array.from(tokens, (token) => {
        const text = pipeline.textOf(known(token, size));
        if (text === undefined) throw new DataError(`${token} is no token of ${path}, whose numbers have gaps.`);
        return text;
      });
      return pipeline.decode(specialTokens ? texts : texts.filter((text) => !pipeline.isSpecial(text)));
    },
  };
}

/** The tokenizer of a file, and what the file says of its parts, in words. */
export async function inspectTokenizer(path: string): Promise<{ tokenizer: Tokenizer; parts: { name: string; type: string }[] }> {
  const json = await readJson(path);
  const tokenizer = await tokenizerOf(path, json, false);
  const typesOf = (part: unknown): string => {
    if (!isRecord(part)) return 'none';
    const inner = ['normalizers', 'pretokenizers', 'processors', 'decoders'].map((name) => part[name]).find(Array.isArray);
    return inner === undefined ? String(part['type'] ?? 'of no type') : inner.map(typesOf).join(', ');
  };
  const added = ((json['added_tokens'] ?? []) as { content: string; id: number }[]).map(({ content, id }) => `${content} ${id}`);
  const named = ['model', 'normalizer', 'pre_tokenizer', 'post_processor', 'decoder'].map((name) => ({ name, type: typesOf(json[name]) }));
  const shown = added.length > 8 ? [...added.slice(0, 8), `… ${added.length - 8} more`] : added;
  return { tokenizer, parts: [...named, { name: 'added_tokens', type: shown.length === 0 ? 'none' : shown.join(', ') }] };
}

/** Checks what everything else rests on, and says which parts are not applied. */
function checkTokenizer(path: string, json: Record<string, unknown>): void {
  const { model, added_tokens: added = [] } = json;
  if (!('model' in json)) throw new DataError(`${path} is no tokenizer.json: it has no "model".`);
  if (!isRecord(model)) throw new DataError(`${path} is damaged: its "model" is ${describe(model)}; an object was expected.`);
  const { vocab, type } = model;
  const ids: unknown = Array.isArray(vocab) ? vocab.map((_, id) => id) : isRecord(vocab) ? Object.values(vocab) : undefined;
  if (!Array.isArray(ids) || ids.length === 0 || !ids.every((id) => Number.isSafeInteger(id) && (id as number) >= 0))
    throw new DataError(`${path} is damaged: its model ${String(type ?? '')} has no vocabulary of texts with whole numbers.`);
  if (
    !Array.isArray(added) ||
    !added.every((one) => isRecord(one) && Number.isSafeInteger(one['id']) && typeof one['content'] === 'string')
  )
    throw new DataError(`${path} is damaged: its "added_tokens" are no list of tokens with id and content.`);
  const unused = ['truncation', 'padding'].filter((name) => (json[name] ?? null) !== null);
  if (typeof model['dropout'] === 'number' && model['dropout'] > 0) unused.push('dropout');
  if (unused.length > 0)
    notice(`${path}: its ${unused.join(', ')} ${unused.length > 1 ? 'are' : 'is'} not applied; texts become all their tokens.`);
}

/** The text with U+FFFD for halves of surrogate pairs, which UTF-8 does not have. */
function wellFormed(text: string): string {
  return text.replace(/\p{Surrogate}/gu, '\ufffd');
}

async function readJson(path: string): Promise<Record<string, unknown>> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
    throw new Error('an object was expected');
  } catch (error) {
    throw new DataError(`${path} is not valid JSON: ${(error as Error).message}.`, { cause: error });
  }
}

function known(token: number, size: number): number {
  if (Number.isInteger(token) && token >= 0 && token < size) return token;
  throw new DataError(`${token} is no token: tokens are whole numbers from 0 to ${size - 1}.`);
}

/**
 * Examples for next-token prediction: the tokens of all texts, each text followed by `separator` where that is given, cut into
 * rows of `length`: `[inputs, targets]`, where the targets are the tokens one place further on. What is left at the end is dropped.
 */
export function tokenBlocks(
  texts: Dataset<string>,
  tokenizer: Tokenizer,
  options: { readonly length: number; readonly separator?: number },
): Dataset<[inputs: NDArray<'int32'>, targets: NDArray<'int32'>]> {
  const { length, separator } = readerOptions<typeof options>(options, 'tokenBlocks', { length: 'value', separator: 'value' });
  asStage(texts, 'tokenBlocks');
  if (typeof (tokenizer as Partial<Tokenizer> | null | undefined)?.encode !== 'function')
    throw new UsageError(`tokenBlocks needs a tokenizer, but ${describe(tokenizer)} was given. (loadTokenizer gives a promise: await it.)`);
  if (!(Number.isSafeInteger(length) && length > 0))
    throw new UsageError(`tokenBlocks: length is ${length}, expected a whole number of at least 1.`);
  if (separator !== undefined && !(Number.isInteger(separator) && separator >= 0 && separator < tokenizer.vocabularySize))
    throw new UsageError(`tokenBlocks: separator is ${separator}, expected one of the tokens 0 to ${tokenizer.vocabularySize - 1}.`);
  const tokens = texts.flatMap((text) => {
    const made = Array.from(tokenizer.encode(text));
    return separator === undefined ? made : [...made, separator];
  });
  return tokens.window(length + 1, { shift: length, dropRemainder: true }).map((row): [NDArray<'int32'>, NDArray<'int32'>] => {
    const all = Int32Array.from(row);
    return [NDArray.of(all.slice(0, length)), NDArray.of(all.slice(1))];
  });
}
