import { isRecord } from '../../../structure.js';
import { sectionsBy, type AddedToken } from './added-tokens.js';
import { decoder, tidied } from './decoders.js';
import { modelOf } from './models.js';
import { normalizer, type Normalizer } from './normalizers.js';
import { flagOf, partsOf, textOf, wholeOf, wrong, type Part } from './parts.js';
import { preTokenizer } from './pre-tokenizers.js';
import { postProcessor } from './special-tokens.js';

/** What a `tokenizer.json` says, put to work. */
export interface Pipeline {
  /** One more than the largest token. */
  readonly size: number;
  /** The tokens of a text. Throws an Error for a text that has none. */
  encode(text: string): number[];
  /** The text of tokens; undefined for one that there is not. */
  textOf(token: number): string | undefined;
  /** The text of the texts of tokens. */
  decode(texts: string[]): string;
  /** Whether a token is a special one. */
  isSpecial(token: string): boolean;
}

/** Makes the pipeline of a `tokenizer.json`. Throws an Error, without the file's name, for what is damaged or not supported. */
export function pipelineOf(json: Part, { specialTokens, tidy }: { readonly specialTokens: boolean; readonly tidy: boolean }): Pipeline {
  const made = <T>(name: string, make: (part: Part) => T): T | undefined => {
    const part = json[name] ?? undefined;
    if (part === undefined) return undefined;
    if (!isRecord(part)) throw wrong(json, name, 'an object');
    return make(part);
  };
  const model = made('model', modelOf);
  if (model === undefined) throw new Error('it has no "model"');
  const normalize: Normalizer = made('normalizer', normalizer) ?? ((text) => text);
  const cut = made('pre_tokenizer', preTokenizer) ?? ((text: string) => [text]);
  const decoded = made('decoder', decoder) ?? ((tokens: string[]) => [tokens.join(' ')]);
  const around = specialTokens ? made('post_processor', postProcessor) : undefined;
  const added = addedTokens(json, model.ids);
  const verbatim = sectionsBy(added.filter((one) => !one.normalized), (text) => text); // prettier-ignore
  const normalized = sectionsBy(added.filter((one) => one.normalized), (text) => normalize(text, { cut: false })); // prettier-ignore

  const texts = new Map<number, string>();
  for (const [text, id] of model.ids) texts.set(id, text);
  for (const { id, content } of added) texts.set(id, content);
  const special = new Set(added.filter((one) => one.special).map(({ content }) => content));
  let size = 0;
  for (const id of texts.keys()) size = Math.max(size, id + 1);

  const encode = (text: string): number[] => {
    const tokens: number[] = [];
    for (const outer of verbatim(text)) {
      if ('token' in outer) tokens.push(outer.token);
      else {
        const beginning = { cut: false };
        for (const inner of normalized(normalize(outer.text, beginning))) {
          if ('token' in inner) tokens.push(inner.token);
          else if (inner.text !== '')
            for (const piece of cut(inner.text, outer.start === 0 && inner.start === 0 && !beginning.cut))
              if (piece !== '') model.encode(piece, tokens);
        }
      }
    }
    return around === undefined ? tokens : [...around(tokens)];
  };
  return {
    size,
    encode,
    textOf: (token) => texts.get(token),
    isSpecial: (token) => special.has(token),
    decode: (list) => {
      const text = decoded(list).join('');
      return tidy ? tidied(text) : text;
    },
  };
}

/**
 * The added tokens. The numbers that the original gives them follow from the vocabulary, whatever the file says: those that the model
 * knows have the model's, others follow it. A file that says otherwise is an Error, since it means two things.
 */
function addedTokens(json: Part, ids: ReadonlyMap<string, number>): AddedToken[] {
  if ((json['added_tokens'] ?? undefined) === undefined) return [];
  const added: AddedToken[] = [];
  const numbers = new Map<string, number>();
  let largest = -1;
  for (const one of partsOf(json, 'added_tokens')) {
    const [id, content, special] = [wholeOf(one, 'id'), textOf(one, 'content'), flagOf(one, 'special', false)];
    if (content === '') continue;
    const given = numbers.get(content) ?? ids.get(content) ?? (largest >= ids.size ? largest + 1 : ids.size);
    if (given !== id)
      throw new Error(
        `its added token ${JSON.stringify(content)} has the number ${id}, where ${given} was expected after a vocabulary of ${ids.size}`,
      );
    numbers.set(content, id);
    largest = Math.max(largest, id);
    const flag = (name: string, otherwise: boolean): boolean => flagOf(one, name, otherwise);
    added.push({
      id, content, special, single_word: flag('single_word', false), lstrip: flag('lstrip', false), rstrip: flag('rstrip', false), normalized: flag('normalized', !special),
    }); // prettier-ignore
  }
  return added;
}
