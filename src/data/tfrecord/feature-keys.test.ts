import { describe, expect, it } from 'vitest';

import { TfExampleBuilder, TfExampleFeatureKeyBase } from '../index.js';

class ImageKeys extends TfExampleFeatureKeyBase {
  encoded = 'image/encoded';
  readonly format: string = 'image/format';
  version = 3;
}

describe('TfExampleFeatureKeyBase', () => {
  it('puts a prefix before every text of the class and of its subclasses', () => {
    class LabelledKeys extends ImageKeys {
      label = 'image/class/label';
    }
    expect({ ...new LabelledKeys('left') }).toEqual({
      encoded: 'left/image/encoded',
      format: 'left/image/format',
      version: 3,
      label: 'left/image/class/label',
    });
    const keys = new ImageKeys('left');
    keys.encoded = 'other';
    expect(keys.encoded).toBe('other');
    expect([...new TfExampleBuilder().addBytesFeature(new ImageKeys('left').format, 'png').example.keys()]).toEqual(['left/image/format']);
  });

  it('leaves the fields as they are without a prefix', () => {
    for (const prefix of [undefined, null, '']) expect(new ImageKeys(prefix).encoded).toBe('image/encoded');
  });
});
