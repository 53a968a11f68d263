import type { CapabilityContent } from '../../../../src/scoring/capabilities/capability-content';
import { fitCapabilities } from '../../../../src/scoring/capabilities/capability-fit';
import { isStored } from '../../../../src/scoring/outcomes/versions/fitted-table';

const PROFILE = { types: [], complexity: 0.3, language: 'en', promptTokens: 9, hasCode: false };

describe(isStored.name, () => {
  const fitted = () =>
    fitCapabilities(
      [1, 2, 3].map((number) => ({
        model: 'tried',
        taskType: 'MATH',
        profile: { ...PROFILE, sketch: [number] },
        count: 1,
        mean: number / 3,
        sumOfSquares: (number / 3) ** 2,
      })),
      () => undefined,
    );
  const changed = (content: CapabilityContent, place: number): CapabilityContent => ({
    ...content,
    examples: content.examples.map((example, at) =>
      at === place ? { ...example, differences: { tried: 0.123 } } : example,
    ),
  });

  it('knows what was stored', async () => {
    const content = await fitted();
    expect(await isStored(content, JSON.parse(JSON.stringify(content)))).toBe(true);
  });

  it('tells any other from it, and what cannot be read', async () => {
    const content = await fitted();
    const { models, examples } = content;
    for (const stored of [
      changed(content, 0),
      changed(content, 2),
      { ...content, examples: examples.slice(1) },
      { ...content, examples: [...examples, { sketch: [4], differences: {} }] },
      { ...content, models: { other: models.tried } },
      { ...content, format: 2 },
      undefined,
    ])
      expect(await isStored(content, stored)).toBe(false);
  });
});
