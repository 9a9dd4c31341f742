/** The tables of docs/config.md, written from the schemas. */
import { describeSpec } from '../../src/config/coerce.js';
import { isConfig, toPlain } from '../../src/config/index.js';
import { fieldDoc } from '../../src/config/json-schema.js';
import { INFO, type AnyConfigSchema, type FieldSpec, type SchemaInfo } from '../../src/config/types.js';

/** A schema's fields as a table with kind, type and default. */
export function table(schema: AnyConfigSchema): string {
  const info = schema[INFO];
  const rows = [...info.fields].map(([key, spec]) => row(info, key, spec));
  return ['| Field | Accepts | Default | Kind | Meaning |', '| --- | --- | --- | --- | --- |', ...rows].join('\n');
}

function row(info: SchemaInfo, key: string, spec: FieldSpec): string {
  return `| \`${key}\` | ${accepts(spec)} | ${defaultOf(spec)} | ${kindOf(spec)} | ${cell(fieldDoc(info, key, spec))} |`;
}

function accepts({ shape, nullable }: FieldSpec): string {
  const none = nullable ? ' or null' : '';
  if (shape.kind === 'config') return `${shape.schema.isOneOf ? 'a choice' : 'a mapping'}: \`${shape.schema.name}\`${none}`;
  if (shape.kind === 'int' || shape.kind === 'float') {
    const { min, max } = shape;
    const bounds = [min === undefined ? [] : `≥ ${min}`, max === undefined ? [] : `≤ ${max}`].flat();
    return `${cell(describeSpec({ shape, nullable } as FieldSpec))}${bounds.length > 0 ? `, ${bounds.join(', ')}` : ''}`;
  }
  return cell(describeSpec({ shape, nullable } as FieldSpec)).replaceAll('"', '`');
}

function defaultOf({ default: value }: FieldSpec): string {
  if (isConfig(value)) return Object.keys(toPlain(value)).length === 0 ? '`{}`' : 'its own';
  if (value === '') return 'empty';
  if (typeof value === 'number' && !Number.isFinite(value)) return `\`${value > 0 ? '' : '-'}.inf\``;
  return value === undefined ? '' : `\`${JSON.stringify(value).replaceAll(',', ', ').replaceAll('"', "'")}\``;
}

/** Which of the three kinds a field is, and why. */
function kindOf({ support }: FieldSpec): string {
  if (support.length === 0) return 'honoured';
  return support
    .map(
      ({ level, reason, when }) =>
        `${level === 'refused' ? '**refused** at the start of a run' : '*no effect* here'}${when === undefined ? '' : ' for some values'}: ${cell(reason)}`,
    )
    .join('; ');
}

const cell = (text: string): string => text.replaceAll('|', '\\|');

/** Schemas in the order in which the page shows them: a schema, then those that its fields name, each once. */
export function schemasFrom(roots: readonly AnyConfigSchema[]): AnyConfigSchema[] {
  const found = new Map<SchemaInfo, AnyConfigSchema>();
  const visit = (info: SchemaInfo): void => {
    if (found.has(info)) return;
    found.set(info, info.factory);
    for (const { shape } of info.fields.values()) if (shape.kind === 'config') visit(shape.schema);
  };
  for (const root of roots) visit(root[INFO]);
  return [...found.values()];
}
