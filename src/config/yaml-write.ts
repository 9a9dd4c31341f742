/** Writing a config as YAML in the form of Model Garden's `params.yaml`: keys sorted, mappings in blocks, lists inline. */
import { floatText } from './float-text.js';
import { getOwn, infoOf, visibleKeys } from './instance.js';
import { resolveScalar } from './scalar.js';
import { joinPath } from './suggest.js';
import type { FieldSpec } from './types.js';

/** Column after which a list goes on in the next line. */
const WIDTH = 80;

/**
 * The config as YAML text that {@link fromYaml} reads back to the same config. Of a choice of branches only the selected
 * one is written. Floats always have a dot, texts that YAML would read as something else are quoted.
 */
export function toYaml(config: object): string {
  const keys = visibleKeys(config).sort();
  return keys.length === 0 ? '{}\n' : keys.map((key) => blockEntry(config, key, 0, key)).join('');
}

function blockEntry(config: object, key: string, indent: number, path: string): string {
  const value = getOwn(config, key);
  const lead = `${' '.repeat(indent)}${stringText(key, false)}:`;
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const keys = visibleKeys(value, path).sort();
    if (keys.length === 0) return `${lead} {}\n`;
    return `${lead}\n${keys.map((name) => blockEntry(value, name, indent + 2, joinPath(path, name))).join('')}`;
  }
  const spec = infoOf(config)?.fields.get(key);
  if (!Array.isArray(value)) return `${lead} ${scalarText(value, spec, false)}\n`;
  const line = new FlowLine(`${lead} `, indent + 2);
  flowValue(line, value, spec, path);
  return `${line.text}\n`;
}

/** Text that breaks before the next item once a line is full. */
class FlowLine {
  text: string;
  readonly #breakText: string;
  #lineStart = 0;

  constructor(start: string, indent: number) {
    this.text = start;
    this.#breakText = `\n${' '.repeat(indent)}`;
  }

  /** Begins the next item after a comma. */
  next(): void {
    this.text += ',';
    if (this.text.length - this.#lineStart > WIDTH) {
      this.#lineStart = this.text.length + 1;
      this.text += this.#breakText;
    } else {
      this.text += ' ';
    }
  }
}

function flowValue(line: FlowLine, value: unknown, spec: FieldSpec | undefined, path: string): void {
  if (Array.isArray(value)) {
    line.text += '[';
    value.forEach((element, i) => {
      if (i > 0) line.next();
      flowValue(line, element, elementSpec(spec), `${path}[${i}]`);
    });
    line.text += ']';
  } else if (typeof value === 'object' && value !== null) {
    line.text += '{';
    const keys = visibleKeys(value, path).sort();
    keys.forEach((key, i) => {
      if (i > 0) line.next();
      line.text += `${stringText(key, true)}: `;
      flowValue(line, getOwn(value, key), infoOf(value)?.fields.get(key), joinPath(path, key));
    });
    line.text += '}';
  } else {
    line.text += scalarText(value, spec, true);
  }
}

function elementSpec(spec: FieldSpec | undefined): FieldSpec | undefined {
  if (spec?.shape.kind === 'list') return spec.shape.element;
  if (spec?.shape.kind !== 'union') return undefined;
  return elementSpec(spec.shape.options.find((option) => option.shape.kind === 'list'));
}

function scalarText(value: unknown, spec: FieldSpec | undefined, inFlow: boolean): string {
  if (typeof value === 'string') return stringText(value, inFlow);
  if (typeof value === 'number')
    return isFloat(spec) || !Number.isSafeInteger(value) || Object.is(value, -0) ? floatText(value) : String(value);
  return String(value);
}

function isFloat(spec: FieldSpec | undefined): boolean {
  if (spec?.shape.kind === 'union') return spec.shape.options.some(isFloat);
  return spec?.shape.kind === 'float';
}

/** Control characters, byte-order marks and halves of characters can only be written as escapes. */
function stringText(text: string, inFlow: boolean): string {
  if (
    /[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(text)
  )
    return escaped(text);
  return isPlain(text, inFlow) ? text : `'${text.replaceAll("'", "''")}'`;
}

function escaped(text: string): string {
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

function isPlain(text: string, inFlow: boolean): boolean {
  if (typeof resolveScalar(text) !== 'string') return false;
  if (/^\s|\s$|: |:$| #|^(?:---|\.\.\.)/.test(text)) return false;
  if (/^[#,[\]{}&*!|>'"%@`]|^[-?:](?:\s|$)/.test(text)) return false;
  // Words that PyYAML would read as a date, a merge key or a default value.
  if (/^(?:=|<<|\d{4}-\d{1,2}-\d{1,2}(?:[Tt\s].*)?)$/.test(text)) return false;
  return !inFlow || !/[,?[\]{}:]/.test(text);
}
