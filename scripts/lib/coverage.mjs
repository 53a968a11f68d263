// Coverage floors, computed over coverage/coverage-summary.json.

const globalFloor = 80;
const moduleFloors = { providers: 90, execution: 90, ledger: 90 };

/** Adds up the files of a jest summary by module (the folder below src). Keys are paths relative to the project. */
export function coverageByModule(files) {
  const modules = new Map();
  for (const [file, figures] of Object.entries(files)) {
    const [top, name, ...rest] = file.split('/');
    if (top !== 'src') continue;
    const key = rest.length > 0 ? name : '(top)';
    const sum = modules.get(key) ?? { lines: { total: 0, covered: 0 }, functions: { total: 0, covered: 0 } };
    for (const kind of ['lines', 'functions']) {
      sum[kind].total += figures[kind].total;
      sum[kind].covered += figures[kind].covered;
    }
    modules.set(key, sum);
  }
  return modules;
}

function percent({ total, covered }) {
  return total === 0 ? 100 : (covered / total) * 100;
}

/** One row per module and one for all of src; `isEnough` is false where lines or functions are below the floor. */
export function coverageRows(modules) {
  const all = { lines: { total: 0, covered: 0 }, functions: { total: 0, covered: 0 } };
  for (const sum of modules.values()) {
    for (const kind of ['lines', 'functions']) {
      all[kind].total += sum[kind].total;
      all[kind].covered += sum[kind].covered;
    }
  }
  const row = (name, sum, floor) => {
    const lines = percent(sum.lines);
    const functions = percent(sum.functions);
    return {
      name,
      lines,
      functions,
      floor,
      isEnough: floor === undefined || Math.min(lines, functions) >= floor,
    };
  };
  const guarded = Object.entries(moduleFloors).filter(([name]) => !modules.has(name));
  const missing = guarded.map(([name, floor]) => ({ name, lines: 0, functions: 0, floor, isEnough: false }));
  const rows = [...modules.entries()].sort(([left], [right]) => left.localeCompare(right));
  return [
    ...rows.map(([name, sum]) => row(name, sum, moduleFloors[name])),
    ...missing,
    row('src', all, globalFloor),
  ];
}
