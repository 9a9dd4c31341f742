/** The types that users see; checked by the compiler, so a wrong one fails `npm run typecheck`. */
import { describe, expectTypeOf, it } from 'vitest';
import { defineConfig, extendConfig, field, oneOf, selectedBranch, type ConfigInputOf, type ConfigOf, type ConfigRecord } from './index.js';

const layer = defineConfig({ units: field.int(8), activation: 'relu', bias: true }, { name: 'Layer' });
const choice = oneOf({ type: 'dense', branches: { dense: layer, depth: 7 } }, { name: 'Choice' });
const schema = defineConfig(
  {
    layers: field.list(layer),
    opt: field.config(layer).optional(),
    rate: field.float().optional(),
    kind: field.choice(['a', 'b'], 'a'),
    sizes: [1, 2],
    path: field.union([field.string(), field.list(field.string())], ''),
    free: field.record(),
    weights: field.record(field.float()),
    choice,
  },
  { name: 'Root' },
);
const extended = extendConfig(schema, { rate: field.int(3), more: 'x' }, { name: 'Extended' });
type Layer = { units: number; activation: string; bias: boolean };

describe('types of configs', () => {
  it('follow from the declaration', () => {
    expectTypeOf<ConfigOf<typeof layer>>().toEqualTypeOf<Layer>();
    type Root = ConfigOf<typeof schema>;
    expectTypeOf<Root['layers']>().toEqualTypeOf<Layer[]>();
    expectTypeOf<Root['opt']>().toEqualTypeOf<Layer | null>();
    expectTypeOf<Root['rate']>().toEqualTypeOf<number | null>();
    expectTypeOf<Root['kind']>().toEqualTypeOf<'a' | 'b'>();
    expectTypeOf<Root['sizes']>().toEqualTypeOf<number[]>();
    expectTypeOf<Root['path']>().toEqualTypeOf<string | string[]>();
    expectTypeOf<Root['free']>().toEqualTypeOf<ConfigRecord>();
    expectTypeOf<Root['weights']>().toEqualTypeOf<{ [key: string]: number }>();
    expectTypeOf<Root['choice']['type']>().toEqualTypeOf<'dense' | 'depth' | null>();
    expectTypeOf<Root['choice']['dense']>().toEqualTypeOf<Layer>();
    expectTypeOf(selectedBranch(schema().choice)).toEqualTypeOf<Layer | number | null>();
  });

  it('are replaced and added to by an extension, and stay assignable to the base where nothing was replaced', () => {
    expectTypeOf<ConfigOf<typeof extended>['rate']>().toEqualTypeOf<number>();
    expectTypeOf<ConfigOf<typeof extended>['more']>().toEqualTypeOf<string>();
    expectTypeOf<ConfigOf<typeof extended>>().toExtend<ConfigOf<typeof schema>>();
  });

  it('let any part be given when a config is made, and nothing else', () => {
    expectTypeOf<Record<never, never>>().toExtend<ConfigInputOf<typeof schema>>();
    expectTypeOf<{ layers: { units: number }[]; choice: { depth: number } }>().toExtend<ConfigInputOf<typeof schema>>();
    expectTypeOf<{ layers: { units: string }[] }>().not.toExtend<ConfigInputOf<typeof schema>>();
    // @ts-expect-error a misspelt field
    void (() => layer({ unit: 3 }));
    // @ts-expect-error a default that is no choice
    void (() => field.choice(['a', 'b'], 'c'));
  });
});
