// Gradients of image resizing in place of tfjs's: its cpu kernels mix the images of a batch, swap height and width, and
// leave out half-pixel centres. Each is the transpose of the forward kernel: what a pixel was read from gets its gradient.
import * as core from '@tensorflow/tfjs-core';
import type { MathBackendCPU } from '@tensorflow/tfjs-backend-cpu/dist/backend_cpu.js';

/** Where one axis's output reads: two input positions and the share of the second. */
type Reading = readonly (readonly [low: number, high: number, fraction: number])[];

type Sampler = (from: number, to: number, alignCorners: boolean, halfPixelCenters: boolean) => Reading;

const scaleOf = (from: number, to: number, alignCorners: boolean): number => (alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to);

const bilinear: Sampler = (from, to, alignCorners, halfPixelCenters) => {
  const scale = scaleOf(from, to, alignCorners);
  return Array.from({ length: to }, (_, i) => {
    const at = halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i;
    const low = Math.max(0, Math.floor(at));
    return [low, Math.max(0, Math.min(from - 1, Math.ceil(at))), at - low];
  });
};

const nearest: Sampler = (from, to, alignCorners, halfPixelCenters) => {
  const scale = scaleOf(from, to, alignCorners);
  return Array.from({ length: to }, (_, i) => {
    const at = halfPixelCenters ? scale * (i + 0.5) : scale * i;
    const pixel = Math.max(0, Math.min(from - 1, alignCorners ? Math.round(at) : Math.floor(at)));
    return [pixel, pixel, 0];
  });
};

function gradient(kernelName: string, sampler: Sampler): core.KernelConfig {
  return {
    kernelName,
    backendName: 'cpu',
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { images, dy } = inputs as { images: core.TensorInfo; dy: core.TensorInfo };
      const { alignCorners, halfPixelCenters } = attrs as unknown as { alignCorners: boolean; halfPixelCenters: boolean };
      const cpu = backend as MathBackendCPU;
      const [batch, height, width, depth] = images.shape as [number, number, number, number];
      const [, toHeight, toWidth] = dy.shape as [number, number, number, number];
      const rows = sampler(height, toHeight, alignCorners, halfPixelCenters);
      const columns = sampler(width, toWidth, alignCorners, halfPixelCenters);
      const values = cpu.data.get(dy.dataId).values as Float32Array;
      const sums = new Float64Array(batch * height * width * depth);
      let from = 0;
      for (let b = 0; b < batch; b++) {
        for (const [top, bottom, down] of rows) {
          for (const [left, right, across] of columns) {
            const at = (y: number, x: number): number => ((b * height + y) * width + x) * depth;
            for (let d = 0; d < depth; d++) {
              const value = values[from++]!;
              sums[at(top, left) + d]! += value * (1 - down) * (1 - across);
              sums[at(top, right) + d]! += value * (1 - down) * across;
              sums[at(bottom, left) + d]! += value * down * (1 - across);
              sums[at(bottom, right) + d]! += value * down * across;
            }
          }
        }
      }
      return cpu.makeTensorInfo(images.shape, 'float32', Float32Array.from(sums));
    },
  };
}

/** Registers the gradients of resizing for the cpu backend. */
export function registerImageKernels(): void {
  for (const config of [gradient('ResizeBilinearGrad', bilinear), gradient('ResizeNearestNeighborGrad', nearest)]) {
    core.unregisterKernel(config.kernelName, 'cpu');
    core.registerKernel(config);
  }
}
