/** Export: models written for serving, as ONNX files with named inputs and outputs. */
export { ExportModule, type ExportModuleOptions } from './export-module.js';
export { type InputSpec, type ServingFunction, type ServingInputs } from './serving-function.js';
export { exportModel, type ExportModelOptions } from './export-model.js';
export { getTimestampedExportDir } from './timestamped-directory.js';
export { type ExportManifest, type SignatureManifest, type TensorManifest, readExportManifest } from './manifest.js';
