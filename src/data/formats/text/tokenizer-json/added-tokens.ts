import { eachMatch, escaped } from './patterns.js';

/** A token that is looked for in texts before anything else. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Whether it stands for itself alone, not within a word. */
  readonly single_word: boolean;
  /** Whether it takes in the spaces before, after it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Whether it is looked for in the normalised text. */
  readonly normalized: boolean;
  readonly special: boolean;
}

/** A part of a text: an added token, or text between them. */
export type Section = { readonly token: number } | { readonly text: string; readonly start: number };

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\p{Join_Control}]';
const ENDS_WITH_WORD = new RegExp(`${WORD}$`, 'u');
const STARTS_WITH_WORD = new RegExp(`^${WORD}`, 'u');
const SPACE = /\p{White_Space}/u;

/** Cuts texts at added tokens, the leftmost first and of several there the longest. `form` is how a token's text looks in them. */
export function sectionsBy(tokens: readonly AddedToken[], form: (content: string) => string): (text: string) => Section[] {
  const byForm = new Map(tokens.map((token) => [form(token.content), token]).filter(([text]) => text !== '') as [string, AddedToken][]);
  if (byForm.size === 0) return (text) => [{ text, start: 0 }];
  const longestFirst = [...byForm.keys()].sort((a, b) => b.length - a.length);
  const pattern = new RegExp(longestFirst.map(escaped).join('|'), 'gu');
  return (text) => {
    const sections: Section[] = [];
    let at = 0;
    eachMatch(pattern, text, (index, after) => {
      const token = byForm.get(text.slice(index, after))!;
      let [start, end] = [index, after];
      if (token.single_word && (endsWithWord(text, start) || startsWithWord(text, end))) return;
      if (token.lstrip) while (start > at && SPACE.test(text[start - 1]!)) start--;
      if (token.rstrip) while (end < text.length && SPACE.test(text[end]!)) end++;
      if (start > at) sections.push({ text: text.slice(at, start), start: at });
      sections.push({ token: token.id });
      at = end;
    });
    if (at < text.length) sections.push({ text: text.slice(at), start: at });
    return sections;
  };
}

const endsWithWord = (text: string, end: number): boolean => ENDS_WITH_WORD.test(text.slice(Math.max(0, end - 2), end));
const startsWithWord = (text: string, start: number): boolean => STARTS_WITH_WORD.test(text.slice(start, start + 2));
