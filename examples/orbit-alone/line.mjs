// Fits a line to noisy points with plain JavaScript numbers. Orbit runs the loops: it needs no tensor library.
//
//   node examples/orbit-alone/line.mjs
import { Controller, createGlobalStep, NewBestMetric, StandardEvaluator, StandardTrainer } from 'orbit-ts/orbit';

const model = { slope: 0, intercept: 0 };
const globalStep = createGlobalStep();

/** Points on y = 3x - 1, moved up or down by at most 0.05. */
function* points() {
  for (let i = 0; ; i++) {
    const x = Math.sin(i); // in [-1, 1], evenly mixed
    yield { x, y: 3 * x - 1 + 0.05 * Math.cos(7 * i) };
  }
}

/** One step of gradient descent on (prediction - y)² for each point. */
class LineTrainer extends StandardTrainer {
  trainLoopBegin() {
    this.squares = [];
  }
  trainStep(iterator) {
    const { x, y } = iterator.next().value;
    const error = model.slope * x + model.intercept - y;
    model.slope -= 0.1 * error * x;
    model.intercept -= 0.1 * error;
    this.squares.push(error ** 2);
    globalStep.assignAdd(1);
  }
  trainLoopEnd() {
    return { loss: mean(this.squares), ...model };
  }
}

/** Mean absolute error on points without noise. */
class LineEvaluator extends StandardEvaluator {
  evalBegin() {
    return [];
  }
  evalStep(iterator) {
    const x = iterator.next().value;
    return Math.abs(model.slope * x + model.intercept - (3 * x - 1));
  }
  evalReduce(errors, error) {
    return [...errors, error];
  }
  evalEnd(errors) {
    return { mean_error: mean(errors) };
  }
}

const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const best = new NewBestMetric('mean_error', { higherIsBetter: false });

const controller = await Controller.create({
  globalStep,
  trainer: new LineTrainer(points),
  evaluator: new LineEvaluator([-1, -0.5, 0, 0.5, 1]),
  evalActions: [best],
  stepsPerLoop: 50,
});
await controller.trainAndEvaluate({ trainSteps: 300, evalInterval: 100 });
console.log(`slope ${model.slope.toFixed(2)}, intercept ${model.intercept.toFixed(2)}, best mean error ${best.bestValue.toFixed(3)}`);
