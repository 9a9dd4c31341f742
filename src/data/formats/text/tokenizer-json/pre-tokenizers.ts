import { toByteCharacters } from './byte-characters.js';
import { flagOf, metaspaceOf, partsOf, textOf, typeOf, unknownType, wholeOf, wrong, type Part } from './parts.js';
import { behaviorOf, escaped, patternOf, splitter } from './patterns.js';
import { PUNCTUATION } from './unicode.js';

/**
 * Cuts a text into pieces. `first`: the text is the very beginning of what is encoded. The first piece is the beginning of the text;
 * it is '' where that was removed.
 */
export type PreTokenizer = (text: string, first: boolean) => string[];

const SPACE = /\p{White_Space}/gu;
const NUMBER = /\p{N}/gu;
const WORDS = /[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]+|[^\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}\p{White_Space}]+/gu;
/** The words of GPT-2. */
const GPT2 =
  /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\p{White_Space}\p{L}\p{N}]+|\p{White_Space}+(?!\P{White_Space})|\p{White_Space}+/gu;

/** Makes a pre-tokenizer; one that is not known is an Error. */
export function preTokenizer(part: Part): PreTokenizer {
  const type = typeOf(part);
  switch (type) {
    case 'Sequence':
      return chained(partsOf(part, 'pretokenizers').map(preTokenizer));
    case 'ByteLevel':
      return byteLevel(flagOf(part, 'add_prefix_space', true), flagOf(part, 'use_regex', true));
    case 'Metaspace':
      return metaspace(part);
    case 'Whitespace':
      return splitter(WORDS, 'Removed', true);
    case 'WhitespaceSplit':
      return splitter(SPACE, 'Removed');
    case 'BertPreTokenizer':
      return chained([splitter(SPACE, 'Removed'), splitter(PUNCTUATION, 'Isolated')]);
    case 'Punctuation':
      return splitter(PUNCTUATION, behaviorOf(part, 'Isolated'));
    case 'Digits':
      return splitter(NUMBER, flagOf(part, 'individual_digits', false) ? 'Isolated' : 'Contiguous');
    case 'Split':
      return splitter(patternOf(part), behaviorOf(part), flagOf(part, 'invert', false));
    case 'CharDelimiterSplit':
      return splitter(new RegExp(escaped(textOf(part, 'delimiter')), 'gu'), 'Removed');
    case 'FixedLength':
      return fixedLength(part);
    default:
      throw unknownType('pre_tokenizer', part);
  }
}

function chained(stages: readonly PreTokenizer[]): PreTokenizer {
  return (text, first) =>
    stages.reduce<string[]>(
      (pieces, stage) => pieces.flatMap((piece, i) => (piece !== '' ? stage(piece, first && i === 0) : i === 0 ? [''] : [])),
      [text],
    );
}

function byteLevel(addPrefixSpace: boolean, useRegex: boolean): PreTokenizer {
  return (text) => {
    const whole = addPrefixSpace && !text.startsWith(' ') ? ` ${text}` : text;
    return (useRegex ? (whole.match(GPT2) ?? []) : [whole]).map(toByteCharacters);
  };
}

function metaspace(part: Part): PreTokenizer {
  const { replacement, scheme } = metaspaceOf(part);
  if (!['always', 'never', 'first'].includes(scheme)) throw wrong(part, 'prepend_scheme', 'always, never or first');
  const split = flagOf(part, 'split', true) ? splitter(new RegExp(escaped(replacement), 'gu'), 'MergedWithNext') : (text: string) => [text];
  return (text, first) => {
    const whole = text.replaceAll(' ', replacement);
    const prepended = (scheme === 'always' || (scheme === 'first' && first)) && !whole.startsWith(replacement);
    return split(prepended ? replacement + whole : whole);
  };
}

function fixedLength(part: Part): PreTokenizer {
  const length = wholeOf(part, 'length');
  if (length === 0) throw wrong(part, 'length', 'a whole number of at least 1');
  return (text) => {
    const characters = Array.from(text);
    return Array.from({ length: Math.ceil(characters.length / length) }, (_, i) => characters.slice(i * length, (i + 1) * length).join(''));
  };
}
