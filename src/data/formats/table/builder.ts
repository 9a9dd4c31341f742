import { DataError } from '../../../errors.js';
import { allocate, NDArray, shapeSize } from '../../ndarray.js';
import { describe } from '../../structure.js';
import { wrongNumber } from '../../value-rules.js';
import type { ColumnRules } from './columns.js';

/** Collects the values of one column of a block, checking each against the column's rules. */
export class ColumnBuilder {
  /** The values; `undefined` in a column of texts. */
  data: ReturnType<typeof allocate>;
  /** The texts, in a column of texts. */
  readonly texts: string[] = [];
  /** Shape of one value, known with the first. */
  #shape: readonly number[] | undefined;
  #size = 1;
  readonly #min: number;
  readonly #max: number;
  readonly #allowNaN: boolean;
  readonly #whole: boolean;

  constructor(
    readonly name: string,
    readonly rules: ColumnRules,
    rows: number,
  ) {
    this.data = allocate(rules.dtype === 'string' ? 'uint8' : rules.dtype, rules.dtype === 'string' ? 0 : rows);
    const whole = rules.dtype === 'int32';
    this.#whole = whole;
    this.#min = Math.max(rules.min ?? -Infinity, whole ? -(2 ** 31) : -Infinity);
    this.#max = Math.min(rules.max ?? Infinity, whole ? 2 ** 31 - 1 : Infinity);
    this.#allowNaN = rules.allowNaN ?? false;
  }

  /** Puts a number at a row. Gives what is wrong with it, or undefined. */
  number(row: number, value: number): string | undefined {
    if (value >= this.#min && value <= this.#max && (this.#whole ? value === Math.trunc(value) : value - value === 0)) {
      this.data[row] = value;
      return undefined;
    }
    return this.#odd(row, value);
  }

  #odd(row: number, value: number): string | undefined {
    if (!Number.isFinite(value)) {
      if (this.#allowNaN && !this.#whole) {
        this.data[row] = value;
        return undefined;
      }
      return this.#whole ? `is ${value}; a finite number was expected` : wrongNumber(value, this.rules);
    }
    if (this.#whole && !Number.isInteger(value)) return `is ${value}; a whole number was expected`;
    const { min, max } = this.rules;
    if (min !== undefined || max !== undefined) return wrongNumber(value, this.rules);
    return `is ${value}, which does not fit into int32; read it as float64`;
  }

  /** Puts any value at a row: a number, truth value, text, null, or a list of numbers. Gives what is wrong with it, or undefined. */
  put(row: number, given: unknown): string | undefined {
    const { dtype, default: fallback } = this.rules;
    const value = given === null || given === undefined ? fallback : given;
    if (value === undefined) return `is missing; give the column a default if that is allowed`;
    if (dtype === 'string') {
      const text = typeof value === 'bigint' ? String(value) : value; // a number that only a text holds exactly
      if (typeof text !== 'string')
        return value instanceof Uint8Array ? 'is bytes that are no UTF-8 text' : `is ${describe(value)}; a text was expected`;
      this.texts[row] = text;
      return undefined;
    }
    if (typeof value === 'object') return this.#putList(row, value);
    if (this.#shape !== undefined && this.#shape.length > 0)
      return `is ${describe(value)}, but earlier values are lists of ${this.#shape.join('×')}`;
    this.#shape ??= [];
    return this.#putOne(row, value);
  }

  #putOne(at: number, value: unknown): string | undefined {
    if (this.rules.dtype === 'bool') {
      if (typeof value !== 'boolean' && value !== 0 && value !== 1) return `is ${show(value)}; true or false was expected`;
      this.data[at] = Number(value);
      return undefined;
    }
    if (typeof value === 'number') return this.number(at, value);
    if (typeof value === 'bigint') {
      const number = Number(value);
      if (this.rules.dtype === 'float32' || BigInt(number) === value) return this.number(at, number);
      return `is ${value}, which ${this.rules.dtype} does not hold; read it as string`;
    }
    return `is ${show(value)}; a number was expected`;
  }

  #putList(row: number, value: object): string | undefined {
    const shape: number[] = [];
    const flat: unknown[] = [];
    const visit = (item: unknown, depth: number): boolean => {
      if (!Array.isArray(item) && !ArrayBuffer.isView(item)) return depth === shape.length && flat.push(item) > 0;
      const items = item as ArrayLike<unknown>;
      if (shape.length === depth && flat.length === 0) shape.push(items.length);
      if (shape[depth] !== items.length) return false;
      for (let i = 0; i < items.length; i++) if (!visit(items[i], depth + 1)) return false;
      return true;
    };
    if (!Array.isArray(value) && !ArrayBuffer.isView(value)) return `is ${describe(value)}; a number or a list of numbers was expected`;
    if (!visit(value, 0)) return 'is a list whose parts differ in length';
    if (this.#shape === undefined) {
      this.#shape = shape;
      this.#size = shapeSize(shape);
      const rows = this.data.length;
      this.data = allocate(this.rules.dtype as 'float32', rows * this.#size);
    }
    if (this.#shape.length !== shape.length || this.#shape.some((axis, i) => axis !== shape[i])) {
      return `has the shape [${shape.join(', ')}], but earlier values have [${this.#shape.join(', ')}]`;
    }
    for (let i = 0; i < flat.length; i++) {
      const wrong = this.#putOne(row * this.#size + i, flat[i]);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  }

  /** The first `rows` values. */
  finish(rows: number): NDArray | string[] {
    const { dtype } = this.rules;
    if (dtype === 'string') return this.texts.slice(0, rows);
    const data = this.data.length === rows * this.#size ? this.data : this.data.subarray(0, rows * this.#size);
    return new NDArray(data as Float32Array, [rows, ...(this.#shape ?? [])], dtype as 'float32');
  }
}

function show(value: unknown): string {
  return typeof value === 'string' ? JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value) : describe(value);
}

/** The error of a value: file, record, column, and what is wrong. */
export function badValue(place: string, column: string, wrong: string): DataError {
  return new DataError(`${place}, column ${column}: the value ${wrong}.`);
}
