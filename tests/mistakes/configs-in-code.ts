import type { Chapter } from './mistake.js';

/** Schemas, configs and registries. */
export const configsInCode: Chapter = {
  title: 'With configs in code',
  mistakes: [
    {
      title: 'Assigning a field that does not exist',
      code: `const params = getExperimentConfig('line');\nparams.trainer.train_step = 100;`,
    },
    {
      title: 'Changing a locked config',
      code: `const params = lockConfig(getExperimentConfig('line'));\nparams.trainer.train_steps = 100;`,
    },
    { title: 'Overriding a locked config', code: `overrideParams(lockConfig(getExperimentConfig('line')), 'trainer.train_steps=100');` },
    {
      title: 'Assigning a value of the wrong type',
      code: `const params = getExperimentConfig('line');\nparams.trainer.train_steps = '100';\nvalidateConfig(params);`,
    },
    { title: 'A plain object for a config', code: `getTask({ units: 1 });` },
    {
      title: 'A task that was not registered',
      code: `const spamTask = taskConfig({ units: 1 }, { name: 'SpamTask' });\ngetTask(spamTask());`,
    },
    { title: 'Two experiments of one name', code: `registerExperiment('line', () => experimentConfig());` },
    { title: 'Two tasks for one schema', code: `registerTask(lineTask, class OtherTask extends Task {});` },
    { title: 'A field without a default', code: `taskConfig({ units: field.int() }, { name: 'SpamTask' });` },
    { title: 'An empty list as a default', code: `taskConfig({ sizes: [] }, { name: 'SpamTask' });` },
    { title: 'A default of the wrong type', code: `taskConfig({ units: field.int('64') }, { name: 'SpamTask' });` },
    {
      title: 'A restriction that cannot be read',
      code: `validateConfig(experimentConfig({}, { restrictions: ['trainer.train_steps is 3'] }));`,
    },
    { title: 'A restriction about no field', code: `validateConfig(experimentConfig({}, { restrictions: ['trainer.train_stepz > 3'] }));` },
  ],
};
