import { toByteCharacters } from './byte-characters.js';
import { flagOf, partsOf, textOf, typeOf, unknownType, type Part } from './parts.js';
import { patternOf } from './patterns.js';
import { precompiled } from './precompiled.js';
import { CONTROLS, MARKS, NONSPACING_MARKS, normalForm } from './unicode.js';

/** What a normalizer did with the beginning of a text. */
export interface Beginning {
  /** Whether characters went away there. */
  cut: boolean;
}

/** Changes a text before it is cut into pieces. */
export type Normalizer = (text: string, beginning: Beginning) => string;

const LEFT = /^\p{White_Space}+/u;
const SPACE = /\p{White_Space}/u;

/** Makes a normalizer; one that is not known is an Error. */
export function normalizer(part: Part): Normalizer {
  const type = typeOf(part);
  switch (type) {
    case 'Sequence':
      return chained(partsOf(part, 'normalizers').map(normalizer));
    case 'NFC':
    case 'NFD':
    case 'NFKC':
    case 'NFKD':
      return (text) => normalForm(text, type);
    case 'Lowercase':
      return lowercase;
    case 'Strip':
      return chained([
        ...(flagOf(part, 'strip_left', true) ? [without(LEFT)] : []),
        ...(flagOf(part, 'strip_right', true) ? [stripRight] : []),
      ]);
    case 'StripAccents':
      return without(MARKS);
    case 'Prepend': {
      const before = textOf(part, 'prepend');
      return (text) => (text === '' ? '' : before + text);
    }
    case 'Replace':
      return replace(patternOf(part), textOf(part, 'content'));
    case 'Nmt':
      return chained([without(NMT_GONE), replace(NMT_SPACE, ' ')]);
    case 'BertNormalizer':
      return bert(part);
    case 'Precompiled':
      return precompiled(textOf(part, 'precompiled_charsmap'));
    case 'ByteLevel':
      return toByteCharacters;
    default:
      throw unknownType('normalizer', part);
  }
}

function chained(stages: readonly Normalizer[]): Normalizer {
  return (text, beginning) => stages.reduce((made, stage) => stage(made, beginning), text);
}

/** Without the spaces at its end; an expression would look at a long run of them from every one of its places. */
function stripRight(text: string): string {
  let end = text.length;
  while (end > 0 && SPACE.test(text[end - 1]!)) end--;
  return text.slice(0, end);
}

/** Leaves out what a pattern matches. */
function without(pattern: RegExp): Normalizer {
  return (text, beginning) =>
    text.replace(pattern, (_, ...rest: unknown[]) => {
      if (placeOf(rest) === 0) beginning.cut = true;
      return '';
    });
}

function replace(pattern: RegExp, content: string): Normalizer {
  if (content === '') return without(pattern);
  return (text, beginning) =>
    text.replace(pattern, (found: string, ...rest: unknown[]) => {
      // What stands for several characters has the place of the last of them.
      if (found.length > 1 && Array.from(found).length > 1 && placeOf(rest) === 0) beginning.cut = true;
      return content;
    });
}

/** The place of a match among the arguments of a replacing function: after the groups. */
function placeOf(rest: readonly unknown[]): number {
  return rest.find((one) => typeof one === 'number') ?? -1;
}

/** Lower case, every character for itself: without the Greek sigma's form at the ends of words. */
function lowercase(text: string): string {
  const lower = text.toLowerCase();
  return text.includes('Σ') ? Array.from(text, (character) => character.toLowerCase()).join('') : lower;
}

const NMT_GONE = /[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]+/gu;
const NMT_SPACE = /[\u0009\u000a\u000c\u000d\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]/gu;

const CHINESE =
  /[\u4e00-\u9fff\u3400-\u4dbf\u{20000}-\u{2a6df}\u{2a700}-\u{2b73f}\u{2b740}-\u{2b81f}\u{2b920}-\u{2ceaf}\uf900-\ufaff\u{2f800}-\u{2fa1f}]/gu;

function bert(part: Part): Normalizer {
  const lower = flagOf(part, 'lowercase', true);
  const stages: Normalizer[] = [];
  if (flagOf(part, 'clean_text', true)) stages.push(without(CONTROLS), replace(/\p{White_Space}/gu, ' '));
  if (flagOf(part, 'handle_chinese_chars', true)) stages.push((text) => text.replace(CHINESE, ' $& '));
  if (flagOf(part, 'strip_accents', lower)) stages.push((text) => normalForm(text, 'NFD'), without(NONSPACING_MARKS));
  if (lower) stages.push(lowercase);
  return chained(stages);
}
