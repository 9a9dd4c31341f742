import * as library from '@huggingface/tokenizers';

import { isRecord } from '../../../structure.js';
import { typeOf, wrong, type Part } from './parts.js';

/** What this takes from the library: its translation of Oniguruma's expressions. Its types name the class, but not where TypeScript finds it. */
const { SplitPreTokenizer } = library as unknown as { SplitPreTokenizer: new (part: Part) => { readonly pattern: RegExp | null } };

/** The pattern of a component, `{ String }` or `{ Regex }` (Oniguruma's, translated), as a global regular expression. */
export function patternOf(part: Part): RegExp {
  const pattern = part['pattern'];
  if (isRecord(pattern)) {
    const { String: text, Regex: regex } = pattern;
    if (text === '') throw new Error(`the pattern of its ${typeOf(part)} is empty`);
    if (typeof text === 'string') return new RegExp(escaped(text), 'gu');
    if (typeof regex === 'string') {
      const made = new SplitPreTokenizer({ type: 'Split', pattern: { Regex: regex }, invert: true, behavior: 'Removed' }).pattern;
      if (made !== null) return made;
    }
  }
  throw wrong(part, 'pattern', 'an object with a String or a Regex');
}

/** A text as a regular expression that matches it. */
export const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, (one) => `\\u{${one.codePointAt(0)!.toString(16)}}`);

/** What is done with the matches of a pattern: see {@link splitter}. */
export type Behavior = 'Removed' | 'Isolated' | 'MergedWithPrevious' | 'MergedWithNext' | 'Contiguous';

const behaviors: readonly string[] = ['Removed', 'Isolated', 'MergedWithPrevious', 'MergedWithNext', 'Contiguous'];

/** The behaviour that a component names. */
export function behaviorOf(part: Part, otherwise?: Behavior): Behavior {
  const value = part['behavior'] ?? otherwise;
  const found = behaviors.find((one) => one.toLowerCase() === String(value).toLowerCase());
  if (found === undefined) throw wrong(part, 'behavior', behaviors.join(', '));
  return found as Behavior;
}

/**
 * Cuts a text at the matches of a pattern, which are removed, stand alone, are joined to the piece before or after, or to each other.
 * With `invert` what lies between them counts as the matches. The first piece is the beginning of the text, '' where that was removed.
 */
export function splitter(pattern: RegExp, behavior: Behavior, invert = false): (text: string) => string[] {
  return (text) => {
    const starts: number[] = [0];
    const pieces: string[] = [];
    let previous = false; // whether the piece before is a match
    const add = (from: number, to: number, match: boolean): void => {
      if (match && behavior === 'Removed') {
        if (from === 0) pieces.push('');
      } else if (joins(match)) {
        const start = starts[pieces.length - 1]!;
        pieces[pieces.length - 1] = text.slice(start, to);
      } else {
        starts[pieces.length] = from;
        pieces.push(text.slice(from, to));
      }
      previous = match;
    };
    const joins = (match: boolean): boolean => {
      if (pieces.length === 0) return false;
      if (behavior === 'Contiguous') return match === previous;
      if (behavior === 'MergedWithPrevious') return match && !previous;
      return behavior === 'MergedWithNext' && !match && previous;
    };
    let at = 0;
    eachMatch(pattern, text, (index, end) => {
      if (index > at) add(at, index, invert);
      if (end > index) add(index, end, !invert);
      at = end;
    });
    if (at < text.length) add(at, text.length, invert);
    return pieces;
  };
}

/** Calls a function with the place and end of every match of a global pattern; unlike `matchAll`, without a copy of the pattern. */
export function eachMatch(pattern: RegExp, text: string, found: (index: number, end: number) => void): void {
  pattern.lastIndex = 0;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    const end = match.index + match[0].length;
    found(match.index, end);
    if (match[0] === '') pattern.lastIndex = end + ((text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1);
  }
}
