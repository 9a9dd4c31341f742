import { DataError } from '../../errors.js';
import { Dataset } from '../dataset.js';
import { chain, END, type Cursor, type Stage } from '../stage.js';

/** The same data set, but a pass from its start that gives nothing ends in a {@link DataError} with `message`. Labels, and so positions, stay. */
export function someBatch<T>(dataset: Dataset<T>, message: string): Dataset<T> {
  const { stage } = dataset;
  const { label, length, addressable } = stage;
  const checked: Stage<T> = { label, length, addressable, open: (pass) => watched(stage.open(pass), message) };
  return new Dataset(checked);
}

function watched<T>(cursor: Cursor<T>, message: string): Cursor<T> {
  let given = false;
  return {
    pull: () =>
      chain(cursor.pull(), (value) => {
        if (value === END && !given) throw new DataError(message);
        given = true;
        return value;
      }),
    state: () => cursor.state(),
    restore: (state) => {
      given = true; // the position may be the end
      return cursor.restore(state);
    },
    address: () => cursor.address(),
    fetch: (address) => cursor.fetch(address),
    fetchAll: cursor.fetchAll && ((addresses) => cursor.fetchAll!(addresses)),
    skip:
      cursor.skip &&
      ((count) => {
        given = true;
        return cursor.skip!(count);
      }),
    locate: cursor.locate && ((address) => cursor.locate!(address)),
    release: cursor.release && ((element) => cursor.release!(element)),
    close: () => cursor.close(),
  };
}
