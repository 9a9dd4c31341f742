import { exactRequired, replayRefused } from '../operators/exact.js';
import { END, chain, type Cursor, type Maybe, type PositionValue, type Stage } from '../stage.js';

/** A reader of one pass over a source whose elements have positions, such as byte offsets. */
export interface PositionedReader<T> {
  /** The next element with the position where it begins, or undefined after the last one. */
  next(): Maybe<{ readonly element: T; readonly position: PositionValue } | undefined>;
  /** Where the next element begins. */
  position(): PositionValue;
  /** Goes to a position that {@link position} gave. */
  seek(position: PositionValue): Maybe<void>;
  /** Reads the element at a position, without moving the reader; left out where that would mean reading all before it. */
  read?(position: PositionValue): Maybe<T>;
  /** Reads the elements at several positions, in that order, where that costs less than one by one. */
  readAll?(positions: readonly PositionValue[]): Maybe<T[]>;
  /** Where an element comes from, in words; default: the label and the position. */
  locate?(position: PositionValue): string;
  /** Closes files. */
  close(): Maybe<void>;
}

/** The elements of a source with positions: its state is one position, and single elements can be read again. */
export function positionedStage<T>(label: string, open: () => PositionedReader<T>): Stage<T> {
  return { label, length: undefined, open: () => positionedCursor(label, open()) };
}

function positionedCursor<T>(label: string, reader: PositionedReader<T>): Cursor<T> {
  const refused = reader.read === undefined && exactRequired();
  let last: PositionValue | undefined;
  return {
    pull: () =>
      chain(reader.next(), (result) => {
        if (result === undefined) return END;
        last = result.position;
        return result.element;
      }),
    state: () => {
      if (refused && last !== undefined) throw replayRefused(label, 'it is compressed');
      return reader.position();
    },
    restore: (state) => reader.seek(state),
    address: () => (reader.read === undefined ? undefined : last),
    fetch: (address) => reader.read!(address),
    fetchAll: reader.readAll && ((addresses) => reader.readAll!(addresses)),
    locate: (address) => reader.locate?.(address) ?? `the element at ${JSON.stringify(address)} of ${label}`,
    close: () => reader.close(),
  };
}
