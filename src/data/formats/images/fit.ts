import type { RandomStream } from '../../random.js';

/** Width and height in pixels. */
export interface Extent {
  readonly width: number;
  readonly height: number;
}

/** A part of an image. */
export interface Part extends Extent {
  readonly left: number;
  readonly top: number;
}

/**
 * How an image covers a smaller or larger extent of another aspect: the extent that it is scaled to, its shorter side (as far as
 * the aspect goes) exact, and the part in the middle that stays. The whole numbers are torchvision's (Resize, then CenterCrop).
 */
export function cover(image: Extent, target: Extent): { readonly scaled: Extent; readonly middle: Part } {
  const scale = Math.max(target.width / image.width, target.height / image.height);
  const scaled = {
    width: Math.max(target.width, Math.floor(image.width * scale + 1e-9)),
    height: Math.max(target.height, Math.floor(image.height * scale + 1e-9)),
  };
  const half = (rest: number): number => Math.round(rest / 2) - (rest % 4 === 1 ? 1 : 0); // halves to even, as Python rounds
  return {
    scaled,
    middle: { ...target, left: half(scaled.width - target.width), top: half(scaled.height - target.height) },
  };
}

/** A random part of 8 to 100 % of the area with an aspect from 3:4 to 4:3; the middle square where ten tries find none. */
export function randomPart({ width, height }: Extent, random: RandomStream): Part {
  const uniform = (): number => random.below(2 ** 30) / 2 ** 30;
  for (let attempt = 0; attempt < 10; attempt++) {
    const area = width * height * (0.08 + 0.92 * uniform());
    const aspect = Math.exp(Math.log(3 / 4) + uniform() * Math.log(16 / 9));
    const [w, h] = [Math.round(Math.sqrt(area * aspect)), Math.round(Math.sqrt(area / aspect))];
    if (w >= 1 && h >= 1 && w <= width && h <= height) {
      return { left: random.below(width - w + 1), top: random.below(height - h + 1), width: w, height: h };
    }
  }
  const side = Math.min(width, height);
  return { left: (width - side) >> 1, top: (height - side) >> 1, width: side, height: side };
}
