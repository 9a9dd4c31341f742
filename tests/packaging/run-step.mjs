// Compiles and runs one step with whatever ONNX Runtime the installed packages offer; prints what it got.
import { compile } from 'orbit-ts/function';
import * as tf from 'orbit-ts/tf';

const step = compile((x) => ({ y: x.mul(2).add(1).sum() }), { name: 'smoke' });
const { y } = await step(tf.tensor1d([1, 2, 3]));
const libraries = process.report.getReport().sharedObjects.filter((f) => f.includes('onnxruntime'));
console.log(JSON.stringify({ y: (await y.data())[0], libraries }));
