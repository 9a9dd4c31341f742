import { DataError } from '../../errors.js';
import { chain, END, type Cursor, type Stage } from '../stage.js';

let required = false;

/** Ends the data with an error where positions of `source` could be restored only by reading and dropping what came before. */
export function requireExact<T>(source: Stage<T>): Stage<T> {
  if (source.work !== undefined) return source.work.over(requireExact);
  if (source.random !== undefined) return source; // a position is a number
  const open = (pass: number): Cursor<T> => {
    const cursor = exactly(() => source.open(pass));
    let checked = false;
    const pull = cursor.pull.bind(cursor);
    cursor.pull = () =>
      chain(pull(), (element) => {
        // The first element tells: whether a source has addresses is seen when it has been read from.
        if (!checked && element !== END) cursor.state();
        checked = true;
        return element;
      });
    return cursor;
  };
  return { ...source, open };
}

/** Whether exact positions are required of the cursor that is being made. Asked in constructors: later the answer is another's. */
export function exactRequired(): boolean {
  return required;
}

/** Opens walks over a stage later on under what is required now. */
export function laterOpener(): <T>(stage: Stage<T>, pass: number) => Cursor<T> {
  return exactRequired() ? (stage, pass) => exactly(() => stage.open(pass)) : (stage, pass) => stage.open(pass);
}

function exactly<R>(run: () => R): R {
  const before = required;
  required = true;
  try {
    return run();
  } finally {
    required = before;
  }
}

/** The error of what can be resumed only by reading and dropping what came before, where that is not allowed. */
export function replayRefused(name: string, why: string): DataError {
  return new DataError(
    `${name} can be resumed only by reading and dropping what came before, since ${why}, and requireExactResume is set. ` +
      'Use an indexed source or uncompressed files, give the source stateDict() and loadStateDict(), or leave requireExactResume out.',
  );
}
