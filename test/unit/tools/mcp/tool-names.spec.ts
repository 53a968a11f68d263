import { mcpToolName } from '../../../../src/tools/mcp/tool-names';

describe('mcpToolName', () => {
  it('joins the names of server and tool', () => {
    expect(mcpToolName('wiki', 'search_pages')).toBe('mcp_wiki_search_pages');
    expect(mcpToolName('my-wiki', 'Search-2')).toBe('mcp_my-wiki_Search-2');
  });

  it.each(['search.pages', 'search pages', 'süche', 'x'.repeat(200), 'a/b', '日本語', '\u{1F600}'])(
    'makes a name that every provider takes of %s, always the same',
    (tool) => {
      const name = mcpToolName('wiki', tool);
      expect(name).toMatch(/^mcp_wiki_[A-Za-z0-9_-]*_[0-9a-f]{8}$/);
      expect(name.length).toBeLessThanOrEqual(64);
      expect(mcpToolName('wiki', tool)).toBe(name);
    },
  );

  it('keeps apart what looks the same when it is cleaned or cut', () => {
    const long = 'x'.repeat(80);
    const tools = ['a.b', 'a b', 'a_b', 'a/b', `${long}1`, `${long}2`];
    expect(new Set(tools.map((tool) => mcpToolName('wiki', tool))).size).toBe(tools.length);
  });

  it('leaves room for the longest name of a server', () => {
    const server = 's'.repeat(32);
    expect(mcpToolName(server, 'search')).toBe(`mcp_${server}_search`);
    expect(mcpToolName(server, 'x'.repeat(60))).toHaveLength(64);
  });
});
