/** Config files as Model Garden's users write them load unchanged, to the values that Model Garden's own classes read (fixtures/model-garden). */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { configNotices, checkSupported, defineConfig, field, fromYaml, oneOf, toPlain, toYaml } from '../../src/config/index.js';
import { extendDataConfig } from '../../src/data/index.js';
import { experimentConfig, taskConfig } from '../../src/experiment/config.js';
import { resolveExperimentConfig } from '../../src/experiment/parse-config.js';

const folder = path.resolve(import.meta.dirname, '../fixtures/model-garden');

// The same fields as in the classes of fixtures/model-garden/generate.py.
const resnet = defineConfig({ model_id: field.int(50), stem_type: 'v0' }, { name: 'Resnet' });
const spinenet = defineConfig({ model_id: '49', stochastic_depth_drop_rate: field.float(0) }, { name: 'SpineNet' });
const backbone = oneOf({ type: 'resnet', branches: { resnet, spinenet } }, { name: 'Backbone' });
const bert = defineConfig({ num_layers: field.int(12), hidden_size: field.int(768), dropout_rate: field.float(0.1) }, { name: 'Bert' });
const encoder = oneOf({ type: 'bert', branches: { bert } }, { name: 'Encoder' });
const anchor = defineConfig(
  { num_scales: field.int(3), anchor_size: field.float(4), aspect_ratios: field.list(field.float(), [1]) },
  { name: 'Anchor' },
);
const attributeHead = defineConfig({ name: '', type: '', size: field.int(1) }, { name: 'AttributeHead' });
const head = defineConfig({ attribute_heads: field.list(attributeHead) }, { name: 'Head' });
const losses = defineConfig({ one_hot: true, label_smoothing: field.float(0), l2_weight_decay: field.float(0) }, { name: 'Losses' });
const model = defineConfig(
  { num_classes: field.int(0), input_size: field.list(field.int().optional()), backbone, encoder, anchor, head },
  { name: 'Model' },
);
const parser = defineConfig(
  {
    output_shape: field.list(field.int(), [320, 320]),
    aug_rand_hflip: false,
    aug_scale_min: field.float(1),
    aug_scale_max: field.float(1),
  },
  { name: 'Parser' },
);
const data = extendDataConfig(
  { dtype: 'float32', seq_length: field.int(128), text_fields: field.list(field.string()).optional(), feature_shape: [1], parser },
  { name: 'Data' },
);
const task = taskConfig(
  { model, losses, train_data: data, validation_data: data, hub_module_url: '', metric_type: 'accuracy', annotation_file: '' },
  { name: 'Task' },
);

const base = (): ReturnType<typeof experimentConfig<ReturnType<typeof task>>> =>
  experimentConfig({
    task: task(),
    trainer: {
      optimizer_config: {
        optimizer: { type: 'adam' },
        ema: { average_decay: 0.9 },
        learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.1, decay_steps: 100 } },
        warmup: { type: 'linear', linear: { warmup_steps: 10 } },
      },
    },
  });

type Data = { [key: string]: unknown };
const expected = JSON.parse(readFileSync(path.join(folder, 'expected.json'), 'utf8')) as Record<string, Data>;

/** What the original does not read as we do: numbers that its loader leaves as texts, and null for an empty text. */
function asHere(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((element) => asHere(element));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, asHere(v, k)]));
  if (typeof value === 'string' && /^[-+]?[\d.]+e[-+]?\d+$/.test(value)) return Number(value);
  return key === 'init_checkpoint' && value === null ? '' : value;
}

describe.each(readdirSync(folder).filter((name) => name.endsWith('.yaml')))('%s', (name) => {
  const file = path.join(folder, name);

  it('loads strictly and unchanged to what the original reads', () => {
    const config = resolveExperimentConfig({ base: base(), configFiles: [file] });
    const recorded = asHere(expected[name]) as { runtime: Data; task: Data; trainer: Data };
    recorded.runtime['tpu'] = null;
    expect(toPlain(config)).toMatchObject(recorded);
  });

  it('is the same after writing and reading it', () => {
    const config = fromYaml(base(), readFileSync(file, 'utf8'));
    expect(toPlain(fromYaml(base(), toYaml(config)))).toEqual(toPlain(config));
  });
});

describe('what a file asks for and cannot be had here', () => {
  const load = (name: string): object => fromYaml(base(), readFileSync(path.join(folder, name), 'utf8'));

  it('is refused when the run starts, not when the file is read', () => {
    expect(() => checkSupported(load('images.yaml'))).toThrow(/^runtime\.num_gpus=2 is not supported/);
    expect(() => checkSupported(load('averaged.yaml'))).toThrow(/^runtime\.distribution_strategy=tpu is not supported/);
    expect(() => checkSupported(load('text.yaml'))).toThrow(/^task\.train_data\.tfds_name=imdb_reviews is not supported/);
    expect(() => checkSupported(load('short.yaml'))).not.toThrow();
  });

  it('is told where it changes nothing but the speed', () => {
    expect(configNotices(load('averaged.yaml')).map((line) => line.split(' ')[0])).toEqual([
      'runtime.enable_xla=true',
      'runtime.mixed_precision_dtype=bfloat16',
    ]);
  });
});
