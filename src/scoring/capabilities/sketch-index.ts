/** Finds the sketches that are most alike to one, by the numbers they share; rare numbers say more. */
import { SKETCH_BUCKETS } from '../../analysis/index';

/** Numbers that more of the sketches have than this say nothing, and would cost the most. */
const COMMON_SHARE = 0.5;
/** No more are ever looked at. */
const MAX_FOUND = 256;
/** Of similarity, told apart while the most alike are looked for. */
const STEPS = 1_000;

/** Most alike first; `similarities` are 0..1, and what was added. */
export interface Neighbours {
  readonly places: readonly number[];
  readonly similarities: readonly number[];
}

/** What a place's similarity is raised by: the value of its group. */
export interface Bonus {
  /** By place; below 0: none. */
  readonly groups: Int16Array;
  readonly values: Float64Array;
}

const NOBODY: Neighbours = Object.freeze({ places: [], similarities: [] });

export class SketchIndex {
  private constructor(
    /** By number: the places of the sketches that have it, and where the next number's begin. */
    private readonly places: Uint32Array,
    private readonly starts: Uint32Array,
    /** By number: what having it in common counts. */
    private readonly weights: Float64Array,
    /** One over each sketch's length. */
    private readonly scales: Float64Array,
  ) {}

  /** To be run with `inPieces`. @param sketches of numbers below `SKETCH_BUCKETS` */
  static *of(sketches: readonly (readonly number[])[]): Generator<void, SketchIndex> {
    const starts = yield* startsOf(sketches);
    const weights = weightsOf(starts, sketches.length);
    const places = new Uint32Array(starts[SKETCH_BUCKETS] as number);
    const scales = new Float64Array(sketches.length);
    const next = starts.slice();
    for (const [place, sketch] of sketches.entries()) {
      for (const number of sketch) {
        const at = next[number] as number;
        if (at > (starts[number] as number) && places[at - 1] === place) continue;
        places[at] = place;
        next[number] = at + 1;
      }
      scales[place] = scaleOf(sketch, weights);
      yield;
    }
    return new SketchIndex(places, starts, weights, scales);
  }

  find(sketch: readonly number[], bonus?: Bonus): Neighbours {
    const scale = scaleOf(sketch, this.weights);
    if (scale === 0 || this.scales.length === 0) return NOBODY;
    const sums = new Float64Array(this.scales.length);
    for (const number of sketch) {
      const weight = this.weights[number] ?? 0;
      if (weight === 0) continue;
      const end = this.starts[number + 1] as number;
      for (let at = this.starts[number] as number; at < end; at += 1) {
        const place = this.places[at] as number;
        sums[place] = (sums[place] as number) + weight;
      }
    }
    for (let place = 0; place < sums.length; place += 1)
      sums[place] = (sums[place] as number) * scale * (this.scales[place] as number);
    if (bonus) add(sums, bonus);
    return mostAlike(sums);
  }
}

/** Plain loops here too: it is done for each request. */
function add(sums: Float64Array, { groups, values }: Bonus): void {
  for (let place = 0; place < sums.length; place += 1) {
    const group = groups[place] as number;
    if (group >= 0) sums[place] = (sums[place] as number) + (values[group] as number);
  }
}

/** By number: how many numbers of all sketches are below it; one that a sketch repeats is one. */
function* startsOf(sketches: readonly (readonly number[])[]): Generator<void, Uint32Array> {
  const starts = new Uint32Array(SKETCH_BUCKETS + 1);
  const last = new Int32Array(SKETCH_BUCKETS).fill(-1);
  for (const [place, sketch] of sketches.entries()) {
    for (const number of sketch) {
      if (last[number] === place) continue;
      last[number] = place;
      starts[number + 1] = (starts[number + 1] as number) + 1;
    }
    yield;
  }
  for (let number = 0; number < SKETCH_BUCKETS; number += 1)
    starts[number + 1] = (starts[number + 1] as number) + (starts[number] as number);
  return starts;
}

function weightsOf(starts: Uint32Array, sketches: number): Float64Array {
  return Float64Array.from({ length: SKETCH_BUCKETS }, (_, number) => {
    const having = (starts[number + 1] as number) - (starts[number] as number);
    return having > sketches * COMMON_SHARE ? 0 : Math.log((sketches + 1) / (having + 0.5)) ** 2;
  });
}

function scaleOf(sketch: readonly number[], weights: Float64Array): number {
  let squares = 0;
  for (const number of sketch) squares += weights[number] ?? 0;
  return squares === 0 ? 0 : 1 / Math.sqrt(squares);
}

/** Equal ones in their own order. Sorting all of them would cost the most by far. */
function mostAlike(similarities: Float64Array): Neighbours {
  const least = leastOfMost(similarities);
  const places: number[] = [];
  for (let place = 0; place < similarities.length; place += 1) {
    if (stepOf(similarities[place] as number) >= least) places.push(place);
  }
  const likeness = (place: number) => similarities[place] as number;
  places.sort((one, other) => likeness(other) - likeness(one) || one - other);
  const found = places.slice(0, MAX_FOUND);
  return { places: found, similarities: found.map(likeness) };
}

/** The step that as many similarities reach as are ever looked at; never the lowest. */
function leastOfMost(similarities: Float64Array): number {
  const counts = new Uint32Array(STEPS + 1);
  for (let place = 0; place < similarities.length; place += 1) {
    const step = stepOf(similarities[place] as number);
    counts[step] = (counts[step] as number) + 1;
  }
  let least = STEPS;
  for (let sum = counts[least] as number; least > 1 && sum < MAX_FOUND;) {
    least -= 1;
    sum += counts[least] as number;
  }
  return least;
}

/** 0: nothing in common. */
function stepOf(similarity: number): number {
  return Math.min(STEPS, Math.ceil(similarity * STEPS));
}
