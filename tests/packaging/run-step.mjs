// Compiles and runs one step with whatever ONNX Runtime and native kernels the installed packages offer; prints what it got.
import { compile } from 'orbit-ts/function';
import * as tf from 'orbit-ts/tf';

const step = compile((x) => ({ y: x.mul(2).add(1).sum() }), { name: 'smoke' });
const { y } = await step(tf.tensor1d([1, 2, 3]));
const loaded = process.report.getReport().sharedObjects;
const libraries = loaded.filter((f) => f.includes('onnxruntime'));
const kernels = loaded.filter((f) => f.includes('orbit_native'));
console.log(JSON.stringify({ y: (await y.data())[0], libraries, kernels }));
