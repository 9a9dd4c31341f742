/** Configuration of clipping, which all optimizers share. */
import { field } from '../config/index.js';

/** Fields that every optimizer has. */
export const clipFields = {
  /** Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped. */
  clipnorm: field.float().optional(),
  /** Gradient elements are cut to the range from minus to plus this value; null: not clipped. */
  clipvalue: field.float().optional(),
  /** All gradients together are scaled down when their common norm is greater than this; null: not clipped. */
  global_clipnorm: field.float().optional(),
};
