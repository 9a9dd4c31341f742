/** Calls that one pass over memory computes together. */
import type { Call } from '../ir.js';
import type { Form, Reduction, RowReduction } from './forms.js';

/** What a call is within its group: as large as the group, one number per row, or a sum at its end. */
export type Member =
  | { readonly kind: 'full'; readonly form: Form }
  | { readonly kind: 'row'; readonly form: Form }
  | { readonly kind: 'rowReduction'; readonly form: RowReduction }
  | { readonly kind: 'sum'; readonly form: Reduction };

/** Calls that are computed together. */
export interface Group {
  /** Elements that each full member computes. */
  readonly size: number;
  /** Length of the rows that members sum within; undefined where none does. */
  row: number | undefined;
  /** What is computed, in no particular order. */
  readonly members: Map<Call, Member>;
  /** Position of the first member in the program. */
  first: number;
  /** Position of the last member in the program. */
  last: number;
}
