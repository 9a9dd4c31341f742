/**
 * Keeps a loop of short steps from starving the rest of the process. Promises that are already resolved never let Node
 * look at signals, timers or messages of workers; a turn of the event loop does, and costs about 2.5 µs.
 */

/** Longest time between two turns, in milliseconds. */
const TURN_EVERY_MILLISECONDS = 5;

let clock = (): number => performance.now();
let lastTurn = clock();

/** Whether 5 ms or more have passed since the last turn. Ask at each step boundary. */
export function turnDue(): boolean {
  return clock() - lastTurn >= TURN_EVERY_MILLISECONDS;
}

/** Lets the event loop make one turn: timers, signals, input and messages that wait are handled. */
export function takeTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(() => {
      lastTurn = clock();
      resolve();
    });
  });
}

/** Replaces the clock, for tests. Without argument the process's clock comes back. */
export function setBreathingClock(milliseconds: () => number = () => performance.now()): void {
  clock = milliseconds;
  lastTurn = clock();
}
