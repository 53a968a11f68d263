import { newId, toApiId } from '../../../src/common/index';
import { EventResources } from '../../../src/events/index';

describe(EventResources.name, () => {
  it('says how many may follow a thing, by its kind', () => {
    const resources = new EventResources({} as never);
    resources.registerOwned({ prefix: 'prj', name: 'project', table: 'projects' }, 10);
    expect(resources.mostFollowers(toApiId('prj', newId()))).toBe(10);
    for (const resource of ['me', 'global', toApiId('usr', newId()), toApiId('whk', newId())]) {
      expect(resources.mostFollowers(resource)).toBe(Infinity);
    }
  });
});
