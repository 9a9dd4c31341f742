/** Builders for the fields of a schema: `field.int(1000)`, `field.float(1e-7).optional()`, `field.choice(['a', 'b'], 'a')`. */
import { ConfigError } from '../errors.js';
import {
  INFO,
  type AnyConfigSchema,
  type ConfigInputOf,
  type ConfigOf,
  type ConfigRecord,
  type FieldLike,
  type FieldSpec,
  type InputOf,
  type Shape,
  type StandardSchema,
  type SupportRule,
  type Typed,
  type ValueOf,
  type VALUE,
  type INPUT,
} from './types.js';

/** One field of a schema. Every method returns a new field. */
export class Field<T, I = T> implements Typed<T, I> {
  declare readonly [VALUE]: T;
  declare readonly [INPUT]: I;
  /** What the schema keeps about the field. */
  readonly spec: FieldSpec;

  constructor(spec: FieldSpec) {
    this.spec = spec;
  }

  /** Accepts `null` as well; without a default given before, `null` is the default. Nested configs default to `null`. */
  optional(): Field<T | null, I | null> {
    const keep = this.spec.default !== undefined && this.spec.shape.kind !== 'config' && this.spec.shape.kind !== 'record';
    return new Field({ ...this.spec, nullable: true, default: keep ? this.spec.default : null });
  }

  /** Smallest number accepted. */
  min(least: number): Field<T, I> {
    return new Field({ ...this.spec, shape: withBound(this.spec.shape, { min: least }) });
  }

  /** Greatest number accepted. */
  max(most: number): Field<T, I> {
    return new Field({ ...this.spec, shape: withBound(this.spec.shape, { max: most }) });
  }

  /**
   * Documents the field where the comment above it in the schema literal is not available: in schemas outside this
   * package. JSON Schema shows this text.
   */
  doc(text: string): Field<T, I> {
    return new Field({ ...this.spec, doc: text });
  }

  /** Marks the option as accepted without effect: one notice with `reason` when it is set (to a value for which `when` holds). */
  noEffect(reason: string, when?: (value: Exclude<T, null>) => boolean): Field<T, I> {
    return this.#withRule({ level: 'no_effect', reason, ...(when && { when: when as (value: unknown) => boolean }) });
  }

  /** Marks the option as refused at the start of a run when it is set (to a value for which `when` holds). */
  refused(reason: string, when?: (value: Exclude<T, null>) => boolean): Field<T, I> {
    return this.#withRule({ level: 'refused', reason, ...(when && { when: when as (value: unknown) => boolean }) });
  }

  #withRule(rule: SupportRule): Field<T, I> {
    return new Field({ ...this.spec, support: [...this.spec.support, rule] });
  }
}

function withBound(shape: Shape, bound: { min?: number; max?: number }): Shape {
  if (shape.kind !== 'int' && shape.kind !== 'float') throw new ConfigError(`Only int and float fields have bounds, not ${shape.kind}.`);
  return { ...shape, ...bound };
}

function make<T, I = T>(shape: Shape, value?: unknown): Field<T, I> {
  return new Field<T, I>({ shape, nullable: false, default: value, doc: null, support: [] });
}

/** What the schema keeps about anything that may stand for a field in a schema literal. */
export function specOf(name: string, like: unknown): FieldSpec {
  if (like instanceof Field) return like.spec;
  if (typeof like === 'function' && INFO in like) return configField(like as unknown as AnyConfigSchema).spec;
  if (typeof like === 'number') return make({ kind: 'number' }, like).spec;
  if (typeof like === 'boolean') return make({ kind: 'bool' }, like).spec;
  if (typeof like === 'string') return make({ kind: 'string' }, like).spec;
  if (Array.isArray(like) && like.length > 0) return make({ kind: 'list', element: specOf(name, like[0]) }, [...(like as unknown[])]).spec;
  const hint = Array.isArray(like)
    ? `The element type of an empty list is not known: write field.list(field.string()).`
    : `Write a default, a field such as field.int(3), or a config schema; for another default of a nested config field.config(schema, { ... }).`;
  throw new ConfigError(
    `${name}: ${Array.isArray(like) ? 'an empty list' : like === null ? 'null' : like === undefined ? 'nothing' : `${typeof like === 'object' ? 'an' : 'a'} ${typeof like}`} does not declare a field. ${hint}`,
    { path: name },
  );
}

/** A nested config of the given schema; `values` change its defaults. */
function configField<S extends AnyConfigSchema>(schema: S, values?: ConfigInputOf<S>): Field<ConfigOf<S>, ConfigInputOf<S>> {
  const factory = schema as unknown as (values?: ConfigInputOf<S>) => ConfigOf<S>;
  return make({ kind: 'config', schema: schema[INFO] }, factory(values));
}

/**
 * Field builders. Every one takes the default; a field without default must be `.optional()` or the element of a list.
 */
export const field = {
  /** A whole number. */
  int: (value?: number): Field<number> => make({ kind: 'int' }, value),
  /** A number; whole numbers and numbers written as text (`'1e-3'`) are accepted. */
  float: (value?: number): Field<number> => make({ kind: 'float' }, value),
  /** `true` or `false`. */
  bool: (value?: boolean): Field<boolean> => make({ kind: 'bool' }, value),
  /** Text. */
  string: (value?: string): Field<string> => make({ kind: 'string' }, value),
  /** One of the listed words, compared without regard to case. */
  choice: <const C extends readonly string[]>(choices: C, value?: C[number]): Field<C[number]> => make({ kind: 'choice', choices }, value),
  /** A list of elements of one type; the default is the empty list. */
  list: <F extends FieldLike>(element: F, value?: readonly InputOf<F>[]): Field<ValueOf<F>[], readonly InputOf<F>[]> =>
    make({ kind: 'list', element: specOf('list element', element) }, value === undefined ? undefined : [...value]),
  /** A nested config of the given schema; `values` change its defaults. */
  config: configField,
  /** A free-form mapping or any config; `element` limits its values. The default is an empty mapping. */
  record: <F extends FieldLike = Typed<ConfigRecord[string]>>(
    element?: F,
  ): Field<{ [key: string]: ValueOf<F> }, { readonly [key: string]: InputOf<F> }> =>
    make({ kind: 'record', element: element === undefined ? null : specOf('record element', element) }, undefined),
  /** A value of any of several types, tried in order. */
  union: <const O extends readonly FieldLike[]>(options: O, value?: InputOf<O[number]>): Field<ValueOf<O[number]>, InputOf<O[number]>> =>
    make({ kind: 'union', options: options.map((option) => specOf('union option', option)) }, value),
  /** A value checked by a Standard Schema, such as one of zod's, valibot's or arktype's; it must check synchronously. */
  custom: <T>(schema: StandardSchema<T>, value?: T): Field<T> => make({ kind: 'custom', standard: schema }, value),
};
