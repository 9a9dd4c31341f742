import type { Cursor, PositionValue } from './stage.js';

/** A note is considered every so many elements, and taken where notes cost no more than this share of the time. */
const NOTE_EVERY = 16;
const NOTE_SHARE = 0.02;

/** A position, or why there is none, after so many elements. */
type Note = { readonly taken: number } & ({ readonly position: PositionValue } | { readonly refused: unknown });

/**
 * Positions noted on the way. An error leaves operators behind in the middle of something; the last note, and how many elements were
 * taken since, is where the walk stood before.
 */
export class PositionNotes {
  #note: Note | undefined;
  /** When the next note may be taken. */
  #from = 0;

  /** Considers a note of the position after `taken` elements; a long one is taken seldom. */
  consider(taken: number, cursor: Cursor<unknown>): void {
    if (this.#note !== undefined) {
      const since = taken - this.#note.taken;
      if (since === 0 || since % NOTE_EVERY !== 0 || performance.now() < this.#from) return;
    }
    const begin = performance.now();
    try {
      this.#note = { taken, position: cursor.state() };
    } catch (refused) {
      this.#note = { taken, refused };
    }
    const end = performance.now();
    this.#from = end + (end - begin) / NOTE_SHARE;
  }

  /** The position after `taken` elements. Throws what {@link consider} met where the state was refused. */
  position(taken: number): PositionValue {
    const note = this.#note!;
    if ('refused' in note) throw note.refused;
    return note.taken === taken ? note.position : { from: note.position, skip: taken - note.taken };
  }
}
