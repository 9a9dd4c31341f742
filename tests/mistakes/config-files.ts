import { mkdirSync } from 'node:fs';
import type { Chapter, Mistake } from './mistake.js';

const show = 'config --experiment=line';

/** A mistake in a file `a.yaml`. */
function inFile(title: string, text: string, more: Partial<Mistake> = {}): Mistake {
  return { title, files: { 'a.yaml': text }, command: `${show} --config_file=a.yaml`, ...more };
}

/** Files and overrides that cannot be read or do not fit. */
export const configFiles: Chapter = {
  title: 'In config files and overrides',
  mistakes: [
    inFile('A misspelt field', 'trainer:\n  train_step: 100\n'),
    inFile('A field at the wrong level', 'train_steps: 100\n'),
    inFile('A field of another task', 'task:\n  label_smoothing: 0.1\n'),
    inFile('Text for a number', 'trainer:\n  train_steps: many\n'),
    inFile('A number in quotes', "trainer:\n  train_steps: '100'\n"),
    inFile('A fraction for a whole number', 'trainer:\n  train_steps: 0.5\n'),
    inFile('A number out of range', 'trainer:\n  steps_per_loop: 0\n'),
    inFile('A word that YAML reads as true or false', 'task:\n  name: on\n'),
    inFile('A word that is not offered', 'trainer:\n  best_checkpoint_metric_comp: highest\n'),
    inFile('An unknown optimizer', 'trainer:\n  optimizer_config:\n    optimizer:\n      type: adamww\n'),
    inFile(
      'A parameter that the optimizer does not have',
      'trainer:\n  optimizer_config:\n    optimizer:\n      type: sgd\n      sgd: {beta_1: 0.9}\n',
    ),
    inFile('A value where a section belongs', 'trainer: 100\n'),
    inFile('A section where a value belongs', 'trainer:\n  train_steps: {value: 100}\n'),
    inFile('Nothing where a value belongs', 'trainer:\n  train_steps:\n'),
    inFile('A broken restriction of the experiment', 'trainer:\n  train_steps: 2000\n'),
    inFile('Wrong YAML', 'trainer:\n  train_steps: [1, 2\n  steps_per_loop: 1\n'),
    inFile('A tab as indentation', 'trainer:\n\ttrain_steps: 100\n'),
    inFile('Uneven indentation', 'trainer:\n  train_steps: 100\n   steps_per_loop: 10\n'),
    inFile('A colon without a blank', 'trainer:\n  train_steps:100\n'),
    inFile('A list at the top', '- trainer\n- runtime\n'),
    inFile('An empty file', ''),
    inFile('An object of Python', 'task: !!python/object:official.TaskConfig {}\n'),
    { title: 'Wrong JSON', files: { 'a.json': '{ "trainer": { "train_steps": 100, } \n' }, command: `${show} --config_file=a.json` },
    { title: 'A file that is not there', command: `${show} --config_file=a.yaml` },
    { title: 'A directory for a file', prepare: () => void mkdirSync('configs'), command: `${show} --config_file=configs` },
    {
      title: 'A file that is no text',
      files: { 'ckpt.bin': new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 255, 254]) },
      command: `${show} --config_file=ckpt.bin`,
    },
    { title: 'A misspelt field in an override', command: `${show} --params_override=trainer.optimizer_config.optimiser.type=adam` },
    { title: 'An override without commas', command: `${show} --params_override='trainer.train_steps=3 runtime.seed=1'` },
    { title: 'A list inside a list', command: `${show} --params_override=task.units=[[1,2]]` },
    { title: 'An override that is neither', command: `${show} --params_override=over.yaml` },
    { title: 'An index that is left out', command: `${show} --params_override='task.units[1]=3'` },
    {
      title: 'A GPU that is not there',
      command: 'train --experiment=line --mode=train --model_dir=runs/line --params_override=runtime.num_gpus=2',
    },
    {
      title: 'A TPU',
      command: 'train --experiment=line --mode=train --model_dir=runs/line --params_override=runtime.distribution_strategy=tpu',
    },
    {
      title: 'An optimizer that is not built',
      command: 'train --experiment=line --mode=train --model_dir=runs/line --params_override=trainer.optimizer_config.optimizer.type=slide',
    },
    {
      title: 'No optimizer',
      command: 'train --experiment=line --mode=train --model_dir=runs/line --params_override=trainer.optimizer_config.optimizer.type=null',
    },
    {
      title: 'No learning rate',
      command:
        'train --experiment=line --mode=train --model_dir=runs/line --params_override=trainer.optimizer_config.learning_rate.type=null',
    },
    {
      title: 'Summaries between two loops',
      command: 'train --experiment=line --mode=train --model_dir=runs/line --params_override=trainer.summary_interval=3',
    },
    {
      title: 'An evaluation of no steps',
      command: 'train --experiment=line --mode=train_and_eval --model_dir=runs/line --params_override=trainer.validation_steps=0',
    },
  ],
};
