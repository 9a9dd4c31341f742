import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoint } from '../checkpoint/index.js';
import { createGlobalStep } from '../orbit/index.js';
import { ExportingCheckpointManager, savedModelNumber } from './index.js';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(path.join(tmpdir(), 'orbit-exporting-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function make(maxToKeep = 2) {
  const globalStep = createGlobalStep();
  const module = {
    export: (target: string) => {
      mkdirSync(target, { recursive: true });
      writeFileSync(path.join(target, 'step'), String(globalStep.value));
    },
  };
  const manager = new ExportingCheckpointManager({
    ...{ checkpoint: new Checkpoint({ global_step: globalStep }), directory, maxToKeep, stepCounter: globalStep, checkpointInterval: 5 },
    modulesToExport: { model_1: module, model_2: module },
    logger: { info() {}, warn() {} },
  });
  const save = (step: number, background = false): Promise<string | null> => {
    globalStep.assign(step);
    return manager.save({ checkpointNumber: step, async: background });
  };
  return { manager, save };
}

const folders = (): string[] => readdirSync(directory).filter((name) => name.endsWith('_saved_modules')).sort(); // prettier-ignore

describe('ExportingCheckpointManager', () => {
  it('exports every module with each save that is made, and deletes exports whose checkpoint is gone', async () => {
    const { manager, save } = make();
    for (const step of [5, 7, 10, 15]) await save(step);
    expect(folders()).toEqual(['ckpt-10_saved_modules', 'ckpt-15_saved_modules']);
    expect(readFileSync(path.join(directory, 'ckpt-10_saved_modules/model_2/step'), 'utf8')).toBe('10');
    expect(path.basename((await manager.latestSavedModel())!)).toBe('ckpt-15_saved_modules');
    expect(await make().manager.existingSavedModels()).toEqual(await manager.existingSavedModels());
    expect(await manager.restoreOrInitialize()).toBe(path.join(directory, 'ckpt-15'));
  });

  it('exports what a background save saves', async () => {
    const { manager, save } = make();
    await save(5, true);
    await manager.sync();
    expect(folders()).toEqual(['ckpt-5_saved_modules']);
  });

  it('yields every export in order, and ends after a timeout', async () => {
    const { manager, save } = make(5);
    for (const step of [5, 10, 15]) await save(step);
    const seen: string[] = [];
    for await (const folder of manager.savedModelsIterator({ timeoutSeconds: 0 })) seen.push(path.basename(folder));
    expect(seen.map(savedModelNumber)).toEqual([5, 10, 15]);
    expect(await manager.waitForNewSavedModel(15, { timeoutSeconds: 0 })).toBeNull();
    expect([savedModelNumber('a/ckpt-7_saved_modules'), savedModelNumber('a/ckpt-7')]).toEqual([7, null]);
  });
});
