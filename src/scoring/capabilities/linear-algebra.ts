/** Symmetric positive definite matrices, as rows of their lower half. */

export type LowerHalf = readonly Float64Array[];

export function lowerHalf(size: number): Float64Array[] {
  return Array.from({ length: size }, (_, row) => new Float64Array(row + 1));
}

/** The inverse, by Cholesky's decomposition. */
export function inverse(matrix: LowerHalf): Float64Array[] {
  const root = inverseOfRoot(cholesky(matrix));
  const result = lowerHalf(matrix.length);
  for (const [row, values] of result.entries()) {
    for (let column = 0; column <= row; column += 1) {
      let sum = 0;
      for (let at = row; at < matrix.length; at += 1) sum += read(root, at, row) * read(root, at, column);
      values[column] = sum;
    }
  }
  return result;
}

export function times(matrix: LowerHalf, vector: Float64Array): Float64Array {
  return vector.map((_, row) => {
    let sum = 0;
    for (let column = 0; column < vector.length; column += 1) {
      const value = row >= column ? read(matrix, row, column) : read(matrix, column, row);
      sum += value * (vector[column] ?? 0);
    }
    return sum;
  });
}

export function dot(one: Float64Array, other: Float64Array): number {
  let sum = 0;
  for (let place = 0; place < one.length; place += 1)
    sum += (one[place] as number) * (other[place] as number);
  return sum;
}

/** The vector's product with the matrix and with itself. Plain loops: it is called for each candidate of each request. */
export function quadraticForm(matrix: LowerHalf, vector: Float64Array): number {
  let sum = 0;
  for (let row = 0; row < vector.length; row += 1) {
    const here = vector[row] as number;
    if (here === 0) continue;
    const values = matrix[row] as Float64Array;
    let inner = (here * (values[row] as number)) / 2;
    for (let column = 0; column < row; column += 1)
      inner += (values[column] as number) * (vector[column] as number);
    sum += 2 * here * inner;
  }
  return sum;
}

function cholesky(matrix: LowerHalf): Float64Array[] {
  const root = lowerHalf(matrix.length);
  for (const [row, values] of root.entries()) {
    for (let column = 0; column <= row; column += 1) {
      let sum = read(matrix, row, column);
      for (let at = 0; at < column; at += 1) sum -= read(root, row, at) * read(root, column, at);
      values[column] = row === column ? Math.sqrt(sum) : sum / read(root, column, column);
    }
  }
  return root;
}

function inverseOfRoot(root: LowerHalf): Float64Array[] {
  const result = lowerHalf(root.length);
  for (const [row, values] of result.entries()) {
    const pivot = read(root, row, row);
    values[row] = 1 / pivot;
    for (let column = 0; column < row; column += 1) {
      let sum = 0;
      for (let at = column; at < row; at += 1) sum -= read(root, row, at) * read(result, at, column);
      values[column] = sum / pivot;
    }
  }
  return result;
}

function read(matrix: LowerHalf, row: number, column: number): number {
  return matrix[row]?.[column] ?? 0;
}
