import type { Chapter } from './mistake.js';

/** Inputs that are missing, end or do not fit. */
export const data: Chapter = {
  title: 'In the data',
  mistakes: [
    {
      title: 'No dataset returned',
      code: `class Mine extends LineTask {\n  buildInputs(data) {\n    fromArrays([x, y]).batch(data.global_batch_size);\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A dataset that cannot be walked',
      code: `class Mine extends LineTask {\n  buildInputs() {\n    return { x, y };\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'Training data that end',
      code: `class Mine extends LineTask {\n  buildInputs(data) {\n    return fromArrays([x, y]).batch(data.global_batch_size);\n  }\n}\nawait train(Mine, 'trainer.train_steps=100');`,
    },
    {
      title: 'A batch larger than the data',
      code: `class Mine extends LineTask {\n  buildInputs(data) {\n    return fromArrays([x, y]).batch(data.global_batch_size, { dropRemainder: data.drop_remainder }).repeat();\n  }\n}\nawait train(Mine, 'task.train_data.global_batch_size=64');`,
    },
    {
      title: 'An evaluation without a batch',
      code: `class Mine extends LineTask {\n  buildInputs(data) {\n    return data.is_training ? super.buildInputs(data) : [];\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'Validation data without an end',
      code: `class Mine extends LineTask {\n  buildInputs(data) {\n    return fromArrays([x, y]).batch(data.global_batch_size).repeat();\n  }\n}\nawait train(Mine);`,
    },
    { title: 'No batch size', code: `await train(LineTask, 'task.train_data.global_batch_size=0');` },
    {
      title: 'Batches that are no arrays',
      code: `class Mine extends LineTask {\n  buildInputs() {\n    return [{ text: 'hello', label: 1 }];\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'Numbers that belong together, as a list',
      code: `class Mine extends LineTask {\n  buildInputs(data) {\n    return fromItems([[[0.5, 2], 1], [[1.5, 3], 2]]).repeat().batch(data.global_batch_size); // Float32Array.of(0.5, 2)\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A resumed run with other data settings',
      code: `class Mine extends LineTask {\n  buildInputs(data) {\n    return fromArrays([x, y]).repeat().batch(data.global_batch_size);\n  }\n}\nawait train(Mine, 'trainer.train_steps=4', { mode: 'train' });\nawait train(Mine, 'trainer.train_steps=8,task.train_data.global_batch_size=4', { mode: 'train' });`,
    },
    {
      title: 'Arrays of different length',
      code: `fromArrays([NDArray.of(new Float32Array(6), [3, 2]), NDArray.of(new Int32Array(2), [2])]);`,
    },
    { title: 'An array that does not fill its shape', code: `NDArray.of(new Float32Array(5), [3, 2]);` },
    {
      title: 'Labels out of range',
      code: `const labels = NDArray.of(Int32Array.from({ length: 32 }, (_, i) => i), [32]); // 0 to 31, for 10 classes\nclass Mine extends LineTask {\n  buildModel() {\n    return tf.sequential({ layers: [tf.layers.dense({ units: 10, inputShape: [2] })] });\n  }\n  buildInputs(data) {\n    return fromArrays([x, labels]).batch(data.global_batch_size);\n  }\n  buildMetrics() {\n    return [new SparseCategoricalAccuracy('accuracy')];\n  }\n  buildLosses(labels, outputs) {\n    return tf.losses.softmaxCrossEntropy(tf.oneHot(labels.toInt(), 10), outputs);\n  }\n}\nawait train(Mine);`,
    },
    { title: 'Files that are not there', code: `new InputReader({ params: dataConfig({ input_path: 'data/train-*' }) });` },
    { title: 'Two sources of data', code: `new InputReader({ params: dataConfig({ input_path: 'data/train', tfds_name: 'mnist' }) });` },
    { title: 'No source of data', code: `new InputReader({ params: dataConfig() });` },
    {
      title: 'A batch that cannot be divided',
      code: `new InputReader({ params: dataConfig({ input_path: 'data/train', global_batch_size: 10 }) }).read({ numInputPipelines: 1, inputPipelineId: 0, numReplicasInSync: 3 });`,
      files: { 'data/train': '' },
    },
    {
      title: 'A record file that is damaged',
      files: { 'data/train.tfrecord': new Uint8Array(40).fill(7) },
      code: `for await (const record of tfRecords(['data/train.tfrecord'])) console.log(record);`,
      note: '`data/train.tfrecord` holds 40 bytes of something else.',
    },
    {
      title: 'A data service',
      code: `new InputReader({ params: dataConfig({ input_path: 'data/train', enable_tf_data_service: true }) });`,
    },
    {
      title: 'A stage of another name',
      code: `new InputReader({ params: dataConfig({ input_path: 'data/train' }), parser_fn: (record) => record });`,
    },
    {
      title: 'A data set by a name that is none',
      code: `new InputReader({ params: dataConfig({ tfds_name: 'minst', tfds_split: 'train', global_batch_size: 8 }) });`,
    },
    {
      title: 'A split that is none',
      code: `new InputReader({ params: dataConfig({ tfds_name: 'mnist', tfds_split: 'validation', global_batch_size: 8 }) });`,
    },
    { title: 'An idx file that is none', files: { 'train-images': 'no images\n' }, code: `await readIdx('train-images');` },
  ],
};
