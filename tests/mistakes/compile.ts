import type { Chapter } from './mistake.js';

/** Functions that cannot be compiled. */
export const compiling: Chapter = {
  title: 'With compiled functions',
  mistakes: [
    {
      title: 'A function that is a promise',
      code: `const double = compile(async (x) => x.mul(2), { name: 'double' });\nawait double(tf.tensor1d([1, 2]));`,
    },
    {
      title: 'A variable made in every call',
      code: `const f = compile((x) => x.add(tf.variable(tf.zeros(x.shape))), { name: 'f' });\nawait f(tf.ones([2]));\nawait f(tf.ones([3])); // another shape is traced anew`,
    },
    {
      title: 'A tensor that was disposed of',
      code: `const scale = tf.scalar(2);\nconst f = compile((x) => x.mul(scale), { name: 'f' });\nscale.dispose();\nawait f(tf.ones([2]));`,
    },
    { title: 'Text', code: `const f = compile((x) => x, { name: 'f' });\nawait f(tf.tensor1d(['a', 'b']));` },
    {
      title: 'Shapes that do not fit',
      code: `const f = compile((a, b) => tf.matMul(a, b), { name: 'f' });\nawait f(tf.ones([2, 3]), tf.ones([4, 2]));`,
    },
    {
      title: 'An array that does not fill its shape',
      code: `const f = compile((x) => x, { name: 'f' });\nawait f({ data: new Float32Array(5), shape: [3, 2] });`,
    },
    {
      title: 'An operation that cannot be compiled',
      code: `const f = compile((x) => tf.unique(x).values, { name: 'f' });\nawait f(tf.tensor1d([1, 1, 2]));`,
    },
    {
      title: 'A value that decides how long a loop is',
      code: `const f = compile((x) => {\n  while (x.sum().dataSync()[0] < 10) x = x.mul(2);\n  return x;\n}, { name: 'f' });\nawait f(tf.ones([2]));`,
    },
  ],
};
