/** The comments above the fields of schemas reach editors, JSON Schema and help. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('documentation of config fields', () => {
  it('src/config/docs.generated.ts is current; `node scripts/config-docs.mjs` writes it', () => {
    expect(() => execFileSync(process.execPath, ['scripts/config-docs.mjs', '--check'], { cwd: root, stdio: 'pipe' })).not.toThrow();
  });

  it('shows in editors on hover, through nesting, choices and extension', () => {
    const file = `${root}tests/config/hover.virtual.ts`;
    const hovers = [
      ['train_steps', 'Step at which training ends, counted from the very first run.'],
      ['best_checkpoint_metric_comp', 'Whether a higher or a lower value of the metric is better.'],
      ['num_threads', 'Threads of compiled steps; 0: chosen automatically.'],
      ['optimizer', 'The optimizer and its parameters.'],
      ['adamw', 'Adam with decoupled weight decay.'],
      ['gradient_clip_norm', 'All gradients together are scaled down to this norm before the update; 0 or null: not clipped.'],
      ['clipvalue', 'Gradient elements are cut to the range from minus to plus this value; null: not clipped.'],
      ['global_batch_size', 'Examples in one batch over all replicas.'],
      ['units', 'Units of the hidden layer.'],
      ['label_count', 'Number of labels.'],
      ['text_fields', 'Columns that hold the text.'],
      ['warm', 'Steps at a low rate.'],
      ['max_to_keep', 'Checkpoints kept; the oldest is removed when there are more.'],
      ['init_checkpoint', 'Checkpoint, or directory of checkpoints, from which a fresh model is initialised; empty: none.'],
    ] as const;
    const source = `import { experimentConfig, modelConfig, taskConfig, trainerConfig } from '../../src/experiment/config.js';
      import { extendConfig, field } from '../../src/config/index.js';
      import { extendDataConfig } from '../../src/data/index.js';
      const data = extendDataConfig({
        /** Columns that hold the text. */
        text_fields: field.list(field.string()),
      }, { name: 'TextData' });
      const trainer = extendConfig(trainerConfig, {
        /** Steps at a low rate. */
        warm: 10,
      }, { name: 'WarmTrainer' });
      const model = modelConfig({
        /** Units of the hidden layer. */
        units: 64,
      });
      const spam = taskConfig({
        model,
        train_data: data,
        /** Number of labels. */
        label_count: 2,
      }, { name: 'spam' });
      const config = experimentConfig({ task: spam() });
      void [config.trainer.train_steps, config.trainer.best_checkpoint_metric_comp, config.runtime.num_threads, config.trainer.optimizer_config.optimizer,
        config.trainer.optimizer_config.optimizer.adamw, config.trainer.optimizer_config.optimizer.adamw.gradient_clip_norm,
        config.trainer.optimizer_config.optimizer.sgd.clipvalue, config.task.train_data.global_batch_size, config.task.model.units, config.task.label_count,
        config.task.init_checkpoint,
        config.task.train_data.text_fields, trainer().warm, trainer().max_to_keep];`;
    const options = ts.parseJsonConfigFileContent(JSON.parse(readFileSync(`${root}tsconfig.json`, 'utf8')), ts.sys, root).options;
    const service = ts.createLanguageService({
      getCompilationSettings: () => options,
      getScriptFileNames: () => [file],
      getScriptVersion: () => '1',
      getScriptSnapshot: (name) => {
        const text = name === file ? source : ts.sys.readFile(name);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => root,
      getDefaultLibFileName: ts.getDefaultLibFilePath,
      fileExists: ts.sys.fileExists,
      readFile: ts.sys.readFile,
      directoryExists: ts.sys.directoryExists,
      getDirectories: ts.sys.getDirectories,
    });
    for (const [name, doc] of hovers) {
      const hover = service.getQuickInfoAtPosition(file, source.lastIndexOf(`.${name}`) + 1);
      expect([name, ts.displayPartsToString(hover?.documentation)]).toEqual([name, doc]);
    }
  });
});
