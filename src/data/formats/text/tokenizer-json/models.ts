import { bytePair } from './byte-pair.js';
import { textOf, typeOf, unknownType, wholeOf, wrong, type Part } from './parts.js';
import { unigram } from './unigram.js';
import { unknown } from './unknown.js';

/** Turns pieces of text into tokens. */
export interface Model {
  /** Adds the tokens of a piece to a list. Throws an Error for a piece without tokens where none stands for what is unknown. */
  readonly encode: (piece: string, into: number[]) => void;
  /** Token numbers of texts. */
  readonly ids: ReadonlyMap<string, number>;
}

/** Makes the model of a `tokenizer.json`; one that is not known is an Error. */
export function modelOf(part: Part): Model {
  switch (typeOf(part) || guessed(part)) {
    case 'BPE':
      return bytePair(part, vocabularyOf(part));
    case 'Unigram':
      return unigram(part);
    case 'WordPiece':
      return wordPiece(part, vocabularyOf(part));
    case 'WordLevel':
      return wordLevel(part, vocabularyOf(part));
    default:
      throw unknownType('model', part);
  }
}

/** The type of a model in files that do not say it. */
function guessed(part: Part): string {
  if (Array.isArray(part['vocab'])) return 'Unigram';
  return 'merges' in part ? 'BPE' : 'continuing_subword_prefix' in part ? 'WordPiece' : 'WordLevel';
}

function vocabularyOf(part: Part): ReadonlyMap<string, number> {
  const vocabulary = part['vocab'];
  if (typeof vocabulary === 'object' && vocabulary !== null) return new Map(Object.entries(vocabulary as Record<string, number>));
  throw wrong(part, 'vocab', 'an object');
}

function wordLevel(part: Part, ids: ReadonlyMap<string, number>): Model {
  const name = textOf(part, 'unk_token', '<unk>');
  return { ids, encode: (piece, into) => into.push(ids.get(piece) ?? unknown(piece, name, ids)) };
}

function wordPiece(part: Part, ids: ReadonlyMap<string, number>): Model {
  const name = textOf(part, 'unk_token', '[UNK]');
  const prefix = textOf(part, 'continuing_subword_prefix', '##');
  const most = wholeOf(part, 'max_input_chars_per_word', 100);
  let longest = 1;
  for (const text of ids.keys()) longest = Math.max(longest, text.length);
  const encode = (piece: string, into: number[]): void => {
    const begin = into.length;
    let characters = 0;
    for (const _ of piece) if (++characters > most) return void into.push(unknown(piece, name, ids));
    for (let at = 0; at < piece.length;) {
      let end = Math.min(piece.length, at + longest);
      let id: number | undefined;
      for (; end > at; end--) {
        id = ids.get(at > 0 ? prefix + piece.slice(at, end) : piece.slice(at, end));
        if (id !== undefined) break;
      }
      if (id === undefined) {
        into.length = begin;
        return void into.push(unknown(piece, name, ids));
      }
      into.push(id);
      at = end;
    }
  };
  return { ids, encode };
}
