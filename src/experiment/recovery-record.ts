/** The count of blow-ups beside the checkpoints, which were written before them: a process that dies after a roll-back must not forget it. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { writeFileAtomically } from './run-files.js';

const fileName = '.orbit-recovery.json';

/** Writes the count. */
export async function writeRecoveryRecord(modelDir: string, trials: number): Promise<void> {
  await writeFileAtomically(path.join(modelDir, fileName), `${JSON.stringify({ trials })}\n`);
}

/** Reads the count; 0 without a record that can be read. */
export async function readRecoveryRecord(modelDir: string): Promise<number> {
  try {
    const { trials } = JSON.parse(await readFile(path.join(modelDir, fileName), 'utf8')) as { trials?: unknown };
    return Number.isSafeInteger(trials) ? (trials as number) : 0;
  } catch {
    return 0;
  }
}
