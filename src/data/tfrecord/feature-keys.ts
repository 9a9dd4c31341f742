/**
 * Names of features as the fields of a class: `class ImageKeys extends TfExampleFeatureKeyBase { encoded = 'image/encoded' }`.
 * `new ImageKeys('left').encoded` is `left/image/encoded`; without a prefix, or with an empty one, fields stay as they are.
 */
export class TfExampleFeatureKeyBase {
  constructor(prefix?: string | null) {
    if (prefix === undefined || prefix === null || prefix === '') return;
    // The fields of a subclass come into being after this constructor: each is changed when it is first defined.
    return new Proxy(this, {
      defineProperty(target, key, descriptor) {
        const changed =
          typeof descriptor.value === 'string' && !Object.hasOwn(target, key)
            ? { ...descriptor, value: `${prefix}/${descriptor.value}` }
            : descriptor;
        return Reflect.defineProperty(target, key, changed);
      },
    });
  }
}
