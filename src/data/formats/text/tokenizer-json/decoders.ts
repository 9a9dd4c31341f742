import { fromByteCharacters } from './byte-characters.js';
import { flagOf, metaspaceOf, partsOf, textOf, typeOf, unknownType, wholeOf, type Part } from './parts.js';
import { patternOf } from './patterns.js';

/** Makes of the texts of tokens the texts that, joined, are the decoded text. */
export type Decoder = (tokens: string[]) => string[];

/** Makes a decoder; one that is not known is an Error. */
export function decoder(part: Part): Decoder {
  switch (typeOf(part)) {
    case 'Sequence': {
      const stages = partsOf(part, 'decoders').map(decoder);
      return (tokens) => stages.reduce((made, stage) => stage(made), tokens);
    }
    case 'ByteLevel':
      return (tokens) => [lossy(Buffer.concat(tokens.map(fromByteCharacters)))];
    case 'ByteFallback':
      return byteFallback;
    case 'Fuse':
      return (tokens) => [tokens.join('')];
    case 'Metaspace':
      return metaspace(part);
    case 'WordPiece':
      return wordPiece(textOf(part, 'prefix', '##'), flagOf(part, 'cleanup', true));
    case 'BPEDecoder': {
      const suffix = textOf(part, 'suffix', '</w>');
      return (tokens) => tokens.map((token, i) => token.replaceAll(suffix, i === tokens.length - 1 ? '' : ' '));
    }
    case 'Replace': {
      const [pattern, content] = [patternOf(part), textOf(part, 'content')];
      return (tokens) => tokens.map((token) => token.replace(pattern, () => content));
    }
    case 'Strip':
      return strip(textOf(part, 'content'), wholeOf(part, 'start', 0), wholeOf(part, 'stop', 0));
    case 'CTC':
      return ctc(part);
    default:
      throw unknownType('decoder', part);
  }
}

const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const lenient = new TextDecoder('utf-8', { ignoreBOM: true });
const lossy = (bytes: Uint8Array): string => lenient.decode(bytes);

/** `<0x41>` and the like next to each other as the text of their bytes; each that is part of no text as U+FFFD. */
function byteFallback(tokens: string[]): string[] {
  const made: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length === 0) return;
    try {
      made.push(strict.decode(Uint8Array.from(bytes)));
    } catch {
      made.push('\ufffd'.repeat(bytes.length));
    }
    bytes = [];
  };
  for (const token of tokens) {
    const found = /^<0x([0-9a-f]{2})>$/i.exec(token);
    if (found !== null) bytes.push(parseInt(found[1]!, 16));
    else {
      flush();
      made.push(token);
    }
  }
  flush();
  return made;
}

function metaspace(part: Part): Decoder {
  const { replacement, scheme } = metaspaceOf(part);
  return (tokens) => tokens.map((token, i) => token.replaceAll(replacement, i === 0 && scheme !== 'never' ? '' : ' '));
}

function wordPiece(prefix: string, cleanup: boolean): Decoder {
  return (tokens) =>
    tokens.map((token, i) => {
      const text = i === 0 ? token : token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
      return cleanup ? contracted(text) : text;
    });
}

function strip(content: string, start: number, stop: number): Decoder {
  return (tokens) =>
    tokens.map((token) => {
      const characters = Array.from(token);
      let [from, to] = [0, characters.length];
      while (from < Math.min(start, to) && characters[from] === content) from++;
      while (to > from && characters.length - to < stop && characters[to - 1] === content) to--;
      return characters.slice(from, to).join('');
    });
}

function ctc(part: Part): Decoder {
  const [pad, delimiter] = [textOf(part, 'pad_token', '<pad>'), textOf(part, 'word_delimiter_token', '|')];
  const cleanup = flagOf(part, 'cleanup', true);
  return (tokens) =>
    tokens
      .filter((token, i) => token !== tokens[i - 1])
      .map((token) => token.replaceAll(pad, ''))
      .map((token) => (cleanup ? contracted(token).replaceAll(delimiter, ' ') : token))
      .filter((token) => token !== '');
}

const contracted = (text: string): string => tidied(text).replaceAll(' do not', " don't");

/** English text without the spaces that tokens leave before punctuation and within contractions. */
export function tidied(text: string): string {
  return [' .', ' ?', ' !', ' ,', " ' ", " n't", " 'm", " 's", " 've", " 're"].reduce(
    (made, one) => made.replaceAll(one, one.trim()),
    text,
  );
}
