// How well predictions fit labels: figures of one set of prompts.
import { softmax } from './classifier-training.mjs';

const BINS = 10;
/** Two-sided, 95 %. */
const Z = 1.959964;

export function predicted({ scores, label, alt = [] }, types, temperature = 1) {
  const shares = softmax(scores, temperature);
  const confidence = Math.max(...shares);
  const type = types[shares.indexOf(confidence)];
  return {
    label,
    type,
    confidence,
    isRight: type === label,
    isAcceptable: type === label || alt.includes(type),
  };
}

/** @param predictions `{label, type, confidence, isRight, isAcceptable}` */
export function figures(predictions, types) {
  const share = (list, holds) => (list.length === 0 ? 0 : list.filter(holds).length / list.length);
  const accuracy = share(predictions, ({ isRight }) => isRight);
  const [accuracyLow, accuracyHigh] = wilson(accuracy, predictions.length);
  const byConfidence = [...predictions].sort((one, other) => other.confidence - one.confidence);
  return {
    count: predictions.length,
    accuracy,
    accuracyLow,
    accuracyHigh,
    lenientAccuracy: share(predictions, ({ isAcceptable }) => isAcceptable),
    macroF1: macroF1(predictions, types),
    expectedCalibrationError: calibrationError(predictions),
    accuracyTop50: share(byConfidence.slice(0, Math.ceil(byConfidence.length / 2)), ({ isRight }) => isRight),
  };
}

export function report(name, examples, types, temperature) {
  const {
    count,
    accuracy,
    lenientAccuracy,
    macroF1: f1,
    expectedCalibrationError,
    accuracyTop50,
  } = figures(
    examples.map((one) => predicted(one, types, temperature)),
    types,
  );
  const show = (value) => value.toFixed(3);
  return `${name} (${count}): accuracy ${show(accuracy)}, lenient ${show(lenientAccuracy)}, macro-F1 ${show(f1)}, top half ${show(accuracyTop50)}, calibration error ${show(expectedCalibrationError)}`;
}

/** The mean over the types that occur as a label. */
export function macroF1(predictions, types) {
  const scores = types
    .filter((type) => predictions.some(({ label }) => label === type))
    .map((type) => f1Of(predictions, type).f1);
  return scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
}

export function f1Of(predictions, type) {
  const hits = predictions.filter((one) => one.type === type && one.label === type).length;
  const named = predictions.filter((one) => one.type === type).length;
  const there = predictions.filter((one) => one.label === type).length;
  return {
    precision: named === 0 ? 0 : hits / named,
    recall: there === 0 ? 0 : hits / there,
    f1: hits === 0 ? 0 : (2 * hits) / (named + there),
    count: there,
  };
}

/** Mean distance between confidence and accuracy over ten bins of equal width, by their size. */
export function calibrationError(predictions) {
  let error = 0;
  for (let bin = 0; bin < BINS; bin++) {
    const inside = predictions.filter(
      ({ confidence }) => Math.min(BINS - 1, Math.floor(confidence * BINS)) === bin,
    );
    const confidence = inside.reduce((sum, one) => sum + one.confidence, 0);
    error += Math.abs(confidence - inside.filter(({ isRight }) => isRight).length);
  }
  return error / Math.max(1, predictions.length);
}

/** Wilson's interval of a share. */
function wilson(share, count) {
  if (count === 0) return [0, 1];
  const square = Z * Z;
  const centre = share + square / (2 * count);
  const half = Z * Math.sqrt((share * (1 - share)) / count + square / (4 * count * count));
  const whole = 1 + square / count;
  return [(centre - half) / whole, (centre + half) / whole];
}
