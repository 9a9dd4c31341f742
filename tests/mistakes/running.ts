import { diskFull, readOnly } from './faults.js';
import type { Chapter } from './mistake.js';

const line = 'train --experiment=line --mode=train --model_dir=runs/line';

/** Directories, checkpoints, runner and controller. */
export const running: Chapter = {
  title: 'With directories, checkpoints and the loop',
  mistakes: [
    { title: 'A file where a directory belongs', files: { runs: 'x\n' }, command: line },
    {
      title: 'A directory that may not be written',
      prepare: () => readOnly('runs'),
      command: line,
      note: '`runs` belongs to someone else.',
    },
    { title: 'A full disk', prepare: () => diskFull('runs'), command: line },
    {
      title: 'A disk that is full when a checkpoint is saved',
      code: `const fillDisk = () => diskFull('runs');\nawait train(LineTask, {}, { trainActions: [fillDisk] });`,
    },
    {
      title: 'A model directory in use',
      code: `await lockDirectory('runs/line'); // what another process does while it trains\nawait train();`,
    },
    {
      title: 'A checkpoint of another model',
      code: `await train();\nclass Mine extends LineTask {\n  buildModel() {\n    return tf.sequential({ layers: [tf.layers.dense({ units: 5, inputShape: [2] }), tf.layers.dense({ units: 1 })] });\n  }\n}\nawait train(Mine, 'trainer.train_steps=8');`,
    },
    {
      title: 'A checkpoint that was damaged',
      code: `const { model } = await train();\nconst bytes = readFileSync('runs/line/ckpt-4/model.safetensors');\nbytes[bytes.length - 1] ^= 1;\nwriteFileSync('runs/line/ckpt-4/model.safetensors', bytes);\nawait new Checkpoint({ model }).read('runs/line/ckpt-4');`,
    },
    { title: 'No checkpoint to start from', code: `await train(LineTask, 'task.init_checkpoint=runs/pretrained');` },
    {
      title: 'A start from a checkpoint of another model',
      code: `await train();\nawait train(LineTask, { task: { init_checkpoint: 'runs/line', units: 3 } }, { modelDir: 'runs/fine' });`,
    },
    {
      title: 'A best checkpoint by a metric that is not there',
      code: `await train(LineTask, 'trainer.best_checkpoint_export_subdir=best, trainer.best_checkpoint_eval_metric=accuracy');`,
    },
    {
      title: 'Using the trainer before it is built',
      code: `const params = getExperimentConfig('line');\nconst runner = new OrbitExperimentRunner({ task: getTask(params.task), mode: 'train', params, modelDir: 'runs/line' });\nrunner.trainer.model;`,
    },
    {
      title: 'No model directory in code',
      code: `const params = getExperimentConfig('line');\nawait runExperiment({ task: getTask(params.task), mode: 'train', params });`,
    },
    {
      title: 'A runner that saves nothing',
      code: `class MyRunner extends OrbitExperimentRunner {\n  maybeBuildCheckpointManager() {\n    return null;\n  }\n}\nconst params = getExperimentConfig('line');\nawait new MyRunner({ task: getTask(params.task), mode: 'train', params, modelDir: 'runs/line' }).run();`,
    },
    {
      title: 'A hook that returns nothing',
      code: `class MyRunner extends OrbitExperimentRunner {\n  async buildTrainer(...args) {\n    await super.buildTrainer(...args);\n  }\n}\nconst params = getExperimentConfig('line');\nawait new MyRunner({ task: getTask(params.task), mode: 'train', params, modelDir: 'runs/line' }).run();`,
    },
    {
      title: 'A misspelt option of the runner',
      code: `const params = getExperimentConfig('line');\nawait runExperiment({ task: getTask(params.task), mode: 'train', params, modelDir: 'runs/line', trainAction: [] });`,
    },
    { title: 'An action that is none', code: `await train(LineTask, {}, { trainActions: ['save'] });` },
    {
      title: 'A condition on a metric that is not there',
      code: `await train(LineTask, {}, { evalActions: [new NewBestMetric('accuracy')] });`,
    },
    {
      title: 'A controller without a trainer',
      code: `const evaluator = { evaluate: () => ({ loss: 1 }) };\nconst controller = await Controller.create({ globalStep: createGlobalStep(), evaluator });\nawait controller.train(10);`,
    },
    {
      title: 'A controller without a loop length',
      code: `await Controller.create({ globalStep: createGlobalStep(), trainer: { train: () => ({}) } });`,
    },
    {
      title: 'A misspelt option of the controller',
      code: `await Controller.create({ globalStep: createGlobalStep(), trainer: { train: () => ({}) }, stepPerLoop: 10 });`,
    },
    {
      title: 'A step that is not counted',
      code: `const trainer = { train: () => ({ loss: 1 }) };\nconst controller = await Controller.create({ globalStep: createGlobalStep(), trainer, stepsPerLoop: 10 });\nawait controller.train(100);`,
    },
    {
      title: 'A loop that returns no dictionary',
      code: `const globalStep = createGlobalStep();\nconst trainer = { train: (n) => (globalStep.assignAdd(n), 0.5) };\nconst controller = await Controller.create({ globalStep, trainer, stepsPerLoop: 1 });\nawait controller.train(1);`,
    },
    { title: 'A checkpoint that is not there', code: `await new Checkpoint({ step: createGlobalStep() }).restore('runs/line/ckpt-10');` },
    { title: 'An item that cannot be saved', code: `await new Checkpoint({ model: () => 3 }).write('runs/line/ckpt-1');` },
    { title: 'An unknown metric', code: `createMetric('SparseCategoricalAcuracy');` },
  ],
};
