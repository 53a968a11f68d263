const { mayImport } = require('./module-boundaries.cjs');

const moduleRules = Object.entries(mayImport).map(([name, allowed]) => ({
  name: `module-${name}`,
  comment: `src/${name} may import only: ${allowed.join(', ') || 'nothing of ours'} (module-boundaries.cjs).`,
  severity: 'error',
  from: { path: `^src/${name}/` },
  to: { path: '^src/', pathNot: [`^src/${name}/`, ...allowed.map((other) => `^src/${other}/`)] },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    ...moduleRules,
    {
      name: 'module-door',
      comment: 'A module is entered through its index.ts only.',
      severity: 'error',
      from: { path: '^src/([^/]+)/' },
      to: { path: '^src/([^/]+)/.+', pathNot: ['^src/$1/', '^src/[^/]+/index\\.ts$'] },
    },
    {
      name: 'known-modules-only',
      comment: 'Every folder of src stands in module-boundaries.cjs.',
      severity: 'error',
      from: {
        path: '^src/[^/]+/',
        pathNot: Object.keys(mayImport).map((name) => `^src/${name}/`),
      },
      to: {},
    },
    {
      name: 'no-circular',
      comment: 'No import cycles, not even through types.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-adapter-from-port',
      comment: 'A provider port imports nothing from the adapters that implement it.',
      severity: 'error',
      from: { path: '^src/providers/[^/]+\\.port\\.ts$' },
      to: { path: '^src/providers/adapters/' },
    },
    {
      name: 'no-tests-from-src',
      comment: 'The product never imports its tests.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
    {
      name: 'no-dev-dependencies-in-src',
      comment: 'What src imports at run time is a dependency, not a devDependency.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
    },
  },
};
