/** What is known of blow-ups beside the checkpoints, which were written before them: a process that dies after a roll-back must not forget it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { StateDict } from '../checkpoint/index.js';
import { writeFileAtomically } from './run-files.js';

const fileName = '.orbit-recovery.json';

/** The last blow-up of a run. */
export interface RecoveryRecord {
  /** How many there were. */
  readonly trials: number;
  /** Where the data go on after it; null where they go back with the checkpoint, or where their position is not plain JSON. */
  readonly position: StateDict | null;
}

/** Writes the record; it is on the device when this resolves. */
export async function writeRecoveryRecord(modelDir: string, { trials, position }: RecoveryRecord): Promise<void> {
  const train_iterator = isPlain(position) ? position : null;
  await writeFileAtomically(path.join(modelDir, fileName), `${JSON.stringify({ trials, train_iterator })}\n`);
}

/** Reads the record; null without one that can be read. */
export async function readRecoveryRecord(modelDir: string): Promise<RecoveryRecord | null> {
  try {
    const { trials, train_iterator } = JSON.parse(await readFile(path.join(modelDir, fileName), 'utf8')) as Record<string, unknown>;
    if (!Number.isSafeInteger(trials)) return null;
    return { trials: trials as number, position: (train_iterator ?? null) as StateDict | null };
  } catch {
    return null;
  }
}

/** Whether JSON gives the same value back. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0);
  if (typeof value !== 'object' || value === null) return value !== undefined;
  return !ArrayBuffer.isView(value) && Object.values(value).every(isPlain);
}
