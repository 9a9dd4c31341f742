import { DataError } from '../../errors.js';
import { chain, END, type Cursor, type Stage } from '../stage.js';

let required = false;

/** Ends the data with an error where positions of `source` could be restored only by reading and dropping what came before. */
export function requireExact<T>(source: Stage<T>): Stage<T> {
  if (source.work !== undefined) return source.work.over(requireExact);
  if (source.random !== undefined) return source; // a position is a number
  const open = (pass: number): Cursor<T> => {
    const cursor = source.open(pass);
    let checked = false;
    const state = cursor.state.bind(cursor);
    const pull = cursor.pull.bind(cursor);
    cursor.state = () => exactly(state);
    cursor.pull = () =>
      chain(pull(), (element) => {
        // The first element tells: whether a source has addresses is seen when it has been read from.
        if (!checked && element !== END) exactly(state);
        checked = true;
        return element;
      });
    return cursor;
  };
  return { ...source, open };
}

function exactly<S>(state: () => S): S {
  const before = required;
  required = true;
  try {
    return state();
  } finally {
    required = before;
  }
}

/** Called where a position is a count of elements to be read and dropped: an error where that is not allowed. */
export function refuseReplay(name: string, why: string): void {
  if (!required) return;
  throw new DataError(
    `${name} can be resumed only by reading and dropping what came before, since ${why}, and requireExactResume is set. ` +
      'Use an indexed source or files, give the source stateDict() and loadStateDict(), or leave requireExactResume out.',
  );
}
