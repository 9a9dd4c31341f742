import type { Chapter } from './mistake.js';

const line = 'train --experiment=line --mode=train --model_dir=runs/line';

/** Wrong flags, names and modules. */
export const commandLine: Chapter = {
  title: 'On the command line',
  mistakes: [
    { title: 'No experiment', command: 'train --mode=train --model_dir=runs/line' },
    { title: 'No mode', command: 'train --experiment=line --model_dir=runs/line' },
    { title: 'No model directory', command: 'train --experiment=line --mode=train' },
    { title: 'A misspelt experiment', command: 'train --experiment=mnist_mpl --mode=train --model_dir=runs/mnist' },
    {
      title: 'An experiment whose module was not imported',
      command: 'train --experiment=sentiment --mode=train --model_dir=runs/sentiment',
    },
    { title: 'A misspelt mode', command: 'train --experiment=line --mode=trian_and_eval --model_dir=runs/line' },
    {
      title: 'A mode of Model Garden that does not exist here',
      command: 'train --experiment=line --mode=train_and_validate --model_dir=runs/line',
    },
    { title: 'A misspelt flag', command: 'train --experiment=line --mode=train --modeldir=runs/line' },
    { title: 'A flag without its value', command: 'train --experiment=line --mode=train --model_dir' },
    { title: 'A flag given twice', command: 'train --experiment=line --experiment=mnist_mlp --mode=train --model_dir=runs/line' },
    { title: 'Neither true nor false', command: `${line} --enable_async_checkpointing=maybe` },
    { title: 'A word without a flag', command: `${line} trainer.train_steps=3` },
    { title: 'Bindings of gin', command: `${line} --gin_file=model.gin` },
    { title: 'A TPU', command: `${line} --tpu=local` },
    { title: 'A misspelt command', command: 'trian --experiment=line' },
    { title: 'A module that is not there', command: `${line} --import=./my_tasks.js` },
    {
      title: 'A module with a wrong import',
      files: { 'my_tasks.mjs': "import 'orbit-tasks-of-mine';\n" },
      command: `${line} --import=./my_tasks.mjs`,
    },
    {
      title: 'A module that fails',
      files: { 'my_tasks.mjs': 'registerExperiment("mine", () => {});\n' },
      command: `${line} --import=./my_tasks.mjs`,
    },
  ],
};
