import type { Chapter } from './mistake.js';

/** Tasks, trainers and what they return. */
export const tasks: Chapter = {
  title: 'In a task',
  mistakes: [
    {
      title: 'A model that was compiled',
      code: `class Mine extends LineTask {\n  buildModel() {\n    const model = super.buildModel();\n    model.compile({ optimizer: 'sgd', loss: 'meanSquaredError' });\n    return model;\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'Exporting a function that is not there',
      code: `const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });\nawait exportModel({ module: new ExportModule({ model }), directory: 'exports', functionKeys: ['server'] });`,
    },
    {
      title: 'Exporting from a directory without a checkpoint',
      code: `const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });\nawait exportModel({ module: new ExportModule({ model }), directory: 'exports', checkpointPath: 'runs/nothing' });`,
    },
    {
      title: 'A loss for each example',
      code: `class Mine extends LineTask {\n  buildLosses(labels, outputs) {\n    return tf.squaredDifference(labels, outputs);\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'No loss returned',
      code: `class Mine extends LineTask {\n  buildLosses(labels, outputs) {\n    tf.losses.meanSquaredError(labels, outputs);\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A loss that is a promise',
      code: `class Mine extends LineTask {\n  async buildLosses(labels, outputs) {\n    return tf.losses.meanSquaredError(labels, outputs);\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A step that is a promise',
      code: `class Mine extends LineTask {\n  async trainStep(...args) {\n    return super.trainStep(...args);\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A step without a loss',
      code: `class Mine extends LineTask {\n  trainStep(...args) {\n    super.trainStep(...args);\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A step that updates metrics asynchronously',
      code: `class Mine extends LineTask {\n  async processMetrics(metrics, labels, outputs) {}\n}\nawait train(Mine);`,
    },
    {
      title: 'Reading a value inside a step',
      code: `class Mine extends LineTask {\n  buildLosses(labels, outputs) {\n    const loss = tf.losses.meanSquaredError(labels, outputs);\n    console.log(loss.dataSync());\n    return loss;\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'Deciding by a value inside a step',
      code: `class Mine extends LineTask {\n  buildLosses(labels, outputs) {\n    const loss = tf.losses.meanSquaredError(labels, outputs);\n    return loss.arraySync() > 1 ? loss.sqrt() : loss;\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'Random numbers of JavaScript inside a step',
      code: `class Mine extends LineTask {\n  buildLosses(labels, outputs) {\n    return tf.losses.meanSquaredError(labels, outputs.mul(1 + 0.1 * Math.random()));\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A loss that does not depend on the model',
      code: `class Mine extends LineTask {\n  buildLosses(labels) {\n    return labels.mean();\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'No model returned',
      code: `class Mine extends LineTask {\n  buildModel() {\n    tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] });\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A model without variables',
      code: `class Mine extends LineTask {\n  buildModel() {\n    return { apply: (inputs) => inputs };\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A model for other features',
      code: `class Mine extends LineTask {\n  buildModel() {\n    return tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [3] })] });\n  }\n}\nawait train(Mine);`,
    },
    { title: 'Labels of another shape', code: `await train(LineTask, { task: { units: 3 } });` },
    {
      title: 'Metrics that are no list',
      code: `class Mine extends LineTask {\n  buildMetrics() {\n    return new Mean('error');\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'Metrics that are a promise',
      code: `class Mine extends LineTask {\n  async buildMetrics() {\n    return [];\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'Two metrics of one name',
      code: `class Mine extends LineTask {\n  buildMetrics() {\n    return [new MeanSquaredError('error'), new MeanAbsoluteError('error')];\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A loss that is not a number',
      code: `class Mine extends LineTask {\n  buildLosses(labels, outputs) {\n    return tf.losses.meanSquaredError(labels, outputs).sub(100).log();\n  }\n}\nawait train(Mine);`,
    },
    {
      title: 'A learning rate that is far too high',
      code: `await train(LineTask, 'trainer.train_steps=100, trainer.optimizer_config.learning_rate.constant.learning_rate=1000');`,
    },
  ],
};
