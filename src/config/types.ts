/**
 * The types that the config room shares: what a schema knows about a field, and how the TypeScript type of a config
 * follows from its schema.
 */

/** A value that a free-form part of a config can hold: a scalar, a list, or a mapping. */
export type ConfigData = null | boolean | number | string | ConfigData[] | { [key: string]: ConfigData };

/** A free-form mapping, such as the named paths of `input_path`. */
export type ConfigRecord = { [key: string]: ConfigData };

/** Type-level key: the type of the values that a field or schema holds. Never present at run time. */
export declare const VALUE: unique symbol;
/** Type-level key: the type that a field or schema accepts when a config is made. Never present at run time. */
export declare const INPUT: unique symbol;

/** Anything that declares a value of type `T` and accepts an `I` for it: a field or a schema. */
export interface Typed<T, I = T> {
  readonly [VALUE]: T;
  readonly [INPUT]: I;
}

/**
 * How far an option is supported. `no_effect`: accepted, one notice when it is set. `refused`: setting it ends the run at
 * its start. A rule without `when` applies to every value that differs from the default.
 */
export interface SupportRule {
  readonly level: 'no_effect' | 'refused';
  readonly reason: string;
  readonly when?: (value: unknown) => boolean;
}

/** What values a field accepts, without nullability, default and documentation. */
export type Shape =
  | { readonly kind: 'int'; readonly min?: number; readonly max?: number }
  | { readonly kind: 'float'; readonly min?: number; readonly max?: number }
  /** Any finite number: the shape of a bare number literal, whose declared type JavaScript cannot tell. */
  | { readonly kind: 'number' }
  | { readonly kind: 'bool' }
  | { readonly kind: 'string' }
  | { readonly kind: 'choice'; readonly choices: readonly string[] }
  | { readonly kind: 'list'; readonly element: FieldSpec }
  | { readonly kind: 'config'; readonly schema: SchemaInfo }
  | { readonly kind: 'record'; readonly element: FieldSpec | null }
  | { readonly kind: 'union'; readonly options: readonly FieldSpec[] }
  | { readonly kind: 'custom'; readonly standard: StandardSchema<unknown> };

/** All that a schema keeps about one field. `default` is `undefined` only for element types, which have none. */
export interface FieldSpec {
  readonly shape: Shape;
  readonly nullable: boolean;
  readonly default: unknown;
  readonly doc: string | null;
  readonly support: readonly SupportRule[];
}

/** All that a schema knows; shared by the factory function and, through their prototype, by its configs. */
export interface SchemaInfo {
  readonly name: string;
  /** Fields in declaration order, those of the extended schema first. */
  readonly fields: ReadonlyMap<string, FieldSpec>;
  readonly base: SchemaInfo | null;
  readonly restrictions: readonly string[];
  /** True for a choice of branches, selected by the field `type`. */
  readonly isOneOf: boolean;
  /** True for the generic schema: no declared fields, the keys are whatever the config holds. */
  readonly isGeneric: boolean;
  readonly prototype: object;
  /** The factory function; set once when the schema is defined. */
  readonly factory: AnyConfigSchema;
}

/** Key under which a schema and the prototype of its configs keep their {@link SchemaInfo}. */
export const INFO: unique symbol = Symbol.for('orbit-ts config schema'); // the same in another copy of this package

/** A schema whose fields are not known to the type system; what functions over all schemas accept. */
export interface AnyConfigSchema<T extends object = object, I = unknown> extends Typed<T, I> {
  /** Name of the schema, such as `TrainerConfig`; error messages and JSON Schema titles carry it. */
  readonly schemaName: string;
  readonly [INFO]: SchemaInfo;
}

/** A config schema: call it to make a config from its defaults and the given values (checked, unknown keys rejected). */
export interface ConfigSchema<T extends object, I = Partial<T>> extends AnyConfigSchema<T, I> {
  (values?: I): T;
}

/** The part of the Standard Schema interface (zod, valibot, arktype, ...) that a custom field needs. */
export interface StandardSchema<T> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (
      value: unknown,
    ) =>
      { readonly value: T; readonly issues?: undefined } | { readonly issues: readonly { readonly message: string }[] } | Promise<unknown>;
    readonly types?: { readonly input: unknown; readonly output: T } | undefined;
  };
}

/** What may stand for a field in a schema literal: a field, a schema, or a plain default (its type is then the field's). */
export type FieldLike = Typed<unknown, unknown> | number | string | boolean | readonly number[] | readonly string[] | readonly boolean[];

/** A schema literal. */
export type FieldLikes = { readonly [name: string]: FieldLike };

/** The type of a field's value. */
export type ValueOf<F> = F extends { readonly [VALUE]: infer T }
  ? T
  : F extends boolean
    ? boolean
    : F extends number
      ? number
      : F extends string
        ? string
        : F extends readonly (infer E)[]
          ? ValueOf<E>[]
          : never;

/** The type that a field accepts when a config is made. */
export type InputOf<F> = F extends { readonly [INPUT]: infer I } ? I : F extends readonly (infer E)[] ? readonly ValueOf<E>[] : ValueOf<F>;

/** The type of the configs that a schema literal declares. */
export type ConfigValues<F> = { -readonly [K in keyof F]: ValueOf<F[K]> };

/** The values that may be given when a config of a schema literal is made: any part of it. */
export type ConfigInput<F> = { readonly [K in keyof F]?: InputOf<F[K]> | undefined };

/** Shows an intersection as one object type; keeps the documentation of each field. */
export type Flatten<T> = { [K in keyof T]: T[K] };

/** The type of the configs that a schema makes: `type TrainerConfig = ConfigOf<typeof trainerConfig>`. */
export type ConfigOf<S> = S extends { readonly [VALUE]: infer T } ? T : never;

/** The values that a schema's factory accepts. */
export type ConfigInputOf<S> = S extends { readonly [INPUT]: infer I } ? I : never;
