import { describe, isRecord } from '../../../structure.js';
import { partsOf, typeOf, unknownType, wrong, type Part } from './parts.js';

/** Puts the special tokens around those of a text. */
export type PostProcessor = (tokens: readonly number[]) => readonly number[];

/** Makes a post-processor; one that is not known is an Error. */
export function postProcessor(part: Part): PostProcessor {
  switch (typeOf(part)) {
    case 'Sequence': {
      const stages = partsOf(part, 'processors').map(postProcessor);
      return (tokens) => stages.reduce((made, stage) => stage(made), tokens);
    }
    case 'ByteLevel':
      return (tokens) => tokens;
    case 'BertProcessing':
    case 'RobertaProcessing': {
      const [first, last] = [pairOf(part, 'cls'), pairOf(part, 'sep')];
      return (tokens) => [first, ...tokens, last];
    }
    case 'TemplateProcessing':
      return template(part);
    default:
      throw unknownType('post_processor', part);
  }
}

function pairOf(part: Part, name: string): number {
  const value = part[name];
  if (Array.isArray(value) && Number.isSafeInteger(value[1])) return value[1] as number;
  throw wrong(part, name, '[text, number]');
}

function template(part: Part): PostProcessor {
  const specials = isRecord(part['special_tokens']) ? part['special_tokens'] : {};
  const pieces = partsOf(part, 'single').map(({ SpecialToken: special, Sequence: sequence }) => {
    if (isRecord(sequence)) return undefined; // the text
    const name = isRecord(special) ? String(special['id']) : describe(special);
    const known = specials[name];
    const ids: unknown = isRecord(known) ? known['ids'] : undefined;
    if (Array.isArray(ids) && ids.every(Number.isSafeInteger)) return ids as readonly number[];
    throw new Error(`the special token ${name} of its TemplateProcessing has no numbers in "special_tokens"`);
  });
  return (tokens) => pieces.flatMap((ids) => ids ?? tokens);
}
