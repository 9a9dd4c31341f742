/** Optimizers, learning-rate schedules, weight averaging, and the factory that builds them from a config. */
export { type AccumulationPhase, GradientAccumulation } from './accumulation.js';
export { ScaledRate } from './scaled-rate.js';
export { Adafactor, type AdafactorOptions } from './adafactor.js';
export { Adagrad, type AdagradOptions } from './adagrad.js';
export { Adam, type AdamOptions } from './adam.js';
export { Adamax, type AdamaxOptions } from './adamax.js';
export { AdamW, AdamWeightDecay, type AdamWeightDecayOptions, type AdamWOptions } from './adamw.js';
export type { Family, OptimizerOptions } from './common-options.js';
export * from './config.js';
export {
  CosineDecay,
  type CosineDecayOptions,
  ExponentialDecay,
  type ExponentialDecayOptions,
  PolynomialDecay,
  type PolynomialDecayOptions,
} from './decay-schedules.js';
export { ExponentialMovingAverage, type ExponentialMovingAverageOptions } from './ema.js';
export { type ExplicitAllreduceOptions, minimizeUsingExplicitAllreduce } from './explicit-allreduce.js';
export { type BuildOptimizerOptions, type OptimizationConfigLike, OptimizerFactory } from './factory.js';
export {
  clipByGlobalNorm,
  clipByNorm,
  clipByValue,
  type ClipOptions,
  type Clipping,
  type GradientAggregator,
  type GradientAndVariable,
  type GradientTransformer,
  type MaybeGradient,
} from './gradients.js';
export { LAMB, type LAMBOptions } from './lamb.js';
export type { LearningRateMultiplier } from './learning-rate-multipliers.js';
export { LARS, type LARSOptions } from './lars.js';
export { Lion, type LionOptions } from './lion.js';
export { Muon, type MuonOptions, orthogonalized } from './muon.js';
export { Nadam, type NadamOptions } from './nadam.js';
export {
  type ApplyOptions,
  type Optimizer,
  type OptimizerParts,
  RuleOptimizer,
  type Slots,
  type Updated,
  type UpdateRule,
} from './optimizer.js';
export type { Given } from './options.js';
export { PaperAdafactor, type PaperAdafactorOptions } from './paper-adafactor.js';
export { PiecewiseConstantDecay, type PiecewiseOptions, StepCosineDecayWithOffset } from './piecewise-schedules.js';
export {
  DirectPowerDecay,
  type DirectPowerDecayOptions,
  PowerAndLinearDecay,
  type PowerAndLinearDecayOptions,
  PowerDecayWithOffset,
  type PowerDecayWithOffsetOptions,
} from './power-schedules.js';
export {
  InverseSqrt,
  type InverseSqrtOptions,
  OneCycle,
  type OneCycleOptions,
  WarmupStableDecay,
  type WarmupStableDecayOptions,
} from './recent-schedules.js';
export { addNoise, clipL2Norm, type PrivacyOptions, privacyTransformers } from './privacy.js';
export { type CommonParts, type OptimizerBuilder, registerOptimizer } from './registry.js';
export { RMSprop, type RMSpropOptions } from './rmsprop.js';
export { type DecayOptions, type LearningRate, learningRateAt, type LearningRateSchedule, type OffsetOptions } from './schedule.js';
export { ScheduleFreeAdamW, type ScheduleFreeAdamWOptions } from './schedule-free.js';
export { SGD, type SGDOptions } from './sgd.js';
export type { SavedState, SlotSpec } from './state.js';
export { LinearWarmup, type LinearWarmupOptions, PolynomialWarmup, type PolynomialWarmupOptions } from './warmup.js';
export { type DecayPatterns, type PatternedDecayOptions, type WeightDecay, weightDecay } from './weight-decay.js';
