// Multinomial logistic regression over hashed features, by AdaGrad; its calibration and its packing.
import { gzipSync } from 'node:zlib';
import { randomNumbers } from './classifier-examples.mjs';

/** Share of the label in the target when another one is acceptable too. */
const LABEL_SHARE = 0.9;
const RATE = 0.5;
const DAMPING = 0.02;
/** Of all weights of a type; what lies beyond is cut, so that the steps stay fine. */
const KEPT_QUANTILE = 0.9999;

export function targetOf(types, { label, alt = [] }) {
  const target = new Float64Array(types.length);
  const other = alt.find((type) => type !== label && types.includes(type));
  target[types.indexOf(label)] = other === undefined ? 1 : LABEL_SHARE;
  if (other !== undefined) target[types.indexOf(other)] = 1 - LABEL_SHARE;
  return target;
}

/**
 * @param examples `{groups, target, weight}`; groups as `textFeatures` makes them
 * @returns weights, row by row of the table
 */
export function train(examples, { size, width, epochs, seed }) {
  const weights = new Float32Array(size * width);
  const squares = new Float32Array(size * width);
  const random = randomNumbers(seed);
  const order = examples.map((_, index) => index);
  for (let epoch = 0; epoch < epochs; epoch++) {
    shuffle(order, random);
    for (const index of order) step(weights, squares, examples[index], width);
  }
  return weights;
}

export function scoresOf(weights, groups, width) {
  const scores = new Float64Array(width);
  for (const { ids, count, scale } of groups) {
    for (let place = 0; place < count; place++) {
      const row = ids[place] * width;
      for (let type = 0; type < width; type++) scores[type] += weights[row + type] * scale;
    }
  }
  return scores;
}

export function softmax(scores, temperature = 1) {
  const highest = Math.max(...scores);
  const shares = Array.from(scores, (score) => Math.exp((score - highest) / temperature));
  const total = shares.reduce((sum, share) => sum + share, 0);
  return shares.map((share) => share / total);
}

/** The temperature that makes the labels of examples nobody trained on likeliest. */
export function calibrate(heldOut) {
  let best = { temperature: 1, loss: Infinity };
  for (let temperature = 0.4; temperature <= 4; temperature += 0.02) {
    let loss = 0;
    for (const { scores, place } of heldOut)
      loss -= Math.log(Math.max(1e-12, softmax(scores, temperature)[place]));
    if (loss < best.loss) best = { temperature, loss };
  }
  return Number(best.temperature.toFixed(2));
}

/** Eight bits a weight, one step a type; a line of JSON before them, all of it gzipped. */
export function pack(weights, { types, featureBits, temperature, patterns }) {
  const width = types.length;
  const steps = types.map((_, type) => {
    const sizes = [];
    for (let at = type; at < weights.length; at += width)
      if (weights[at] !== 0) sizes.push(Math.abs(weights[at]));
    sizes.sort((one, other) => one - other);
    return Number(((sizes[Math.floor(sizes.length * KEPT_QUANTILE)] ?? 1) / 127).toPrecision(6));
  });
  const bytes = Int8Array.from(weights, (weight, at) =>
    Math.max(-127, Math.min(127, Math.round(weight / steps[at % width]))),
  );
  const header = JSON.stringify({ format: 1, featureBits, types, steps, temperature, patterns });
  return gzipSync(Buffer.concat([Buffer.from(`${header}\n`), Buffer.from(bytes.buffer)]), { level: 9 });
}

function step(weights, squares, { groups, target, weight }, width) {
  const shares = softmax(scoresOf(weights, groups, width));
  const errors = shares.map((share, type) => (share - target[type]) * weight);
  for (const { ids, count, scale } of groups) {
    for (let place = 0; place < count; place++) {
      const row = ids[place] * width;
      for (let type = 0; type < width; type++) {
        const gradient = errors[type] * scale;
        squares[row + type] += gradient * gradient;
        weights[row + type] -= (RATE * gradient) / Math.sqrt(squares[row + type] + DAMPING);
      }
    }
  }
}

function shuffle(order, random) {
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [order[last], order[other]] = [order[other], order[last]];
  }
}
