import { describe, expect, expectTypeOf, it } from 'vitest';
import {
  checkSupported,
  configNotices,
  field,
  fromYaml,
  overrideParams,
  schemaOf,
  toJsonSchema,
  toPlain,
  toYaml,
  validateConfig,
  type ConfigOf,
} from '../config/index.js';
import type { DataConfig } from '../data/config.js';
import type { OptimizationConfig } from '../optimization/config.js';
import {
  experimentConfig,
  modelConfig,
  taskConfig,
  trainerConfig,
  type ExperimentConfig,
  type RuntimeConfig,
  type TaskConfig,
  type TaskSchema,
  type TrainerConfig,
} from './config.js';

const spamTask = taskConfig({ model: modelConfig({ units: 64, rate: field.float(0.5) }, { name: 'SpamModel' }) }, { name: 'spam' });
const spam = (): ExperimentConfig<ConfigOf<typeof spamTask>> =>
  experimentConfig({ task: spamTask({ model: { units: 32 } }), trainer: { train_steps: 100 } });

describe('taskConfig', () => {
  it('adds to the base fields and keeps their types', () => {
    const task = spamTask({ train_data: { global_batch_size: 8 } });
    expect(Object.keys(task).slice(0, 3)).toEqual(['init_checkpoint', 'model', 'train_data']);
    expect(task.train_data.global_batch_size).toBe(8);
    expectTypeOf(task.model).toEqualTypeOf<{ units: number; rate: number }>();
    expectTypeOf(task).toExtend<TaskConfig>();
    expectTypeOf(spamTask).toExtend<TaskSchema>();
  });
});

describe('experimentConfig', () => {
  it('keeps the schema of its task and takes mappings for trainer and runtime', () => {
    const config = spam();
    expect(schemaOf(config.task)).toBe(spamTask);
    expect(config.task.model.units).toBe(32);
    expect(config.trainer.train_steps).toBe(100);
    overrideParams(config, 'task.model.rate=1e-3, runtime.seed=7');
    expect(config.task.model.rate).toBe(0.001);
    expect(() => overrideParams(config, 'task.model.unit=3')).toThrow('task.model.unit: no such field in SpamModel. Did you mean "units"?');
    expect(() => overrideParams(config, 'trainer.train_step=3')).toThrow(
      'trainer.train_step: no such field in TrainerConfig. Did you mean "train_steps"?',
    );
  });

  it('checks its own restrictions', () => {
    const config = experimentConfig({ task: spamTask() }, { restrictions: ['task.train_data.is_training != None'] });
    expect(() => validateConfig(config)).toThrow('task.train_data.is_training: the restriction');
    config.task.train_data.is_training = true;
    expect(validateConfig(config)).toBe(config);
  });

  it('survives YAML', () => {
    expect(toPlain(fromYaml(spam(), toYaml(spam())))).toEqual(toPlain(spam()));
  });

  it('has no untyped field', () => {
    expectTypeOf<TaskConfig[keyof TaskConfig]>().not.toBeAny();
    expectTypeOf<DataConfig[keyof DataConfig]>().not.toBeAny();
    expectTypeOf<RuntimeConfig[keyof RuntimeConfig]>().not.toBeAny();
    expectTypeOf<TrainerConfig[keyof TrainerConfig]>().not.toBeAny();
    expectTypeOf<OptimizationConfig[keyof OptimizationConfig]>().not.toBeAny();
    type Optimizer = OptimizationConfig['optimizer'];
    expectTypeOf<Optimizer['adam'][keyof Optimizer['adam']]>().toEqualTypeOf<number | string | boolean | null>();
    expectTypeOf<TrainerConfig['optimizer_config']>().toEqualTypeOf<OptimizationConfig>();
    expectTypeOf<TrainerConfig['best_checkpoint_metric_comp']>().toEqualTypeOf<'higher' | 'lower'>();
    expectTypeOf<RuntimeConfig['loss_scale']>().toEqualTypeOf<number | 'dynamic' | null>();
    expectTypeOf<ConfigOf<typeof trainerConfig>>().toEqualTypeOf<TrainerConfig>();
  });

  it('documents every field in its JSON Schema', () => {
    const undocumented: string[] = [];
    const visit = (schema: { properties?: Record<string, object>; anyOf?: object[]; description?: string }, path: string): void => {
      for (const option of schema.anyOf ?? []) visit(option, path);
      for (const [key, property] of Object.entries(schema.properties ?? {})) {
        const at = `${path}.${key}`;
        if ((property as { description?: string }).description === undefined) undocumented.push(at);
        visit(property, at);
      }
    };
    visit(toJsonSchema(experimentConfig()), 'experiment');
    expect(undocumented).toEqual([]);
  });
});

describe('support of options', () => {
  it('gives one notice for each option that has no effect', () => {
    const config = experimentConfig({
      runtime: { enable_xla: true, mixed_precision_dtype: 'bfloat16' },
      trainer: { train_tf_function: false },
    });
    expect(configNotices(config)).toEqual([
      'trainer.train_tf_function=false has no effect: steps are always compiled; set runtime.run_eagerly to run them uncompiled.',
      expect.stringMatching(/^runtime\.enable_xla=true has no effect: /),
      'runtime.mixed_precision_dtype=bfloat16 has no effect: float32 is used.',
    ]);
    expect(configNotices(experimentConfig({ runtime: { mixed_precision_dtype: 'float32' } }))).toEqual([]);
    for (const [loss_scale, shown] of [
      ['dynamic', 'dynamic'],
      [128, '128'],
    ] as const) {
      // prettier-ignore
      expect(configNotices(experimentConfig({ runtime: { mixed_precision_dtype: 'float16', loss_scale } }))).toEqual([
        'runtime.mixed_precision_dtype=float16 has no effect: float32 is used.',
        `runtime.loss_scale=${shown} has no effect: float32 is used, which needs no loss scaling.`,
      ]);
    }
  });

  it('accepts a default experiment, and one replica on the CPU by any name', () => {
    for (const distribution_strategy of ['off', 'one_device', 'mirrored'] as const) {
      expect(() => checkSupported(experimentConfig({ runtime: { distribution_strategy } }))).not.toThrow();
    }
  });

  it.each([
    ['runtime.num_gpus=1', 'runtime.num_gpus'],
    ['runtime.tpu=local', 'runtime.tpu'],
    ['runtime.distribution_strategy=parameter_server', 'runtime.distribution_strategy'],
    ['runtime.distribution_strategy=multi_worker_mirrored', 'runtime.distribution_strategy'],
    ['runtime.num_cores_per_replica=2', 'runtime.num_cores_per_replica'],
    ['task.train_data.tfds_name=imagenet2012', 'task.train_data.tfds_name'],
    ['task.train_data.enable_tf_data_service=true', 'task.train_data.enable_tf_data_service'],
    ['task.allow_image_summary=true', 'task.allow_image_summary'],
    ['trainer.optimizer_config.optimizer.type=slide', 'trainer.optimizer_config.optimizer.type'],
  ])('loads but does not run %s', (text, path) => {
    const config = overrideParams(experimentConfig(), text);
    expect(() => checkSupported(config)).toThrow(expect.objectContaining({ path }));
  });
});
