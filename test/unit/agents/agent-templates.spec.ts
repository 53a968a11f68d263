import { AgentTemplates, MAX_RENDERED, TEMPLATE_VARIABLES } from '../../../src/agents/agent-templates';
import { MAX_AGENT_PROMPT } from '../../../src/agents/index';

const REFUSED = 'VALIDATION_FAILED';
/** As many as leave room for a copy of them. */
const ITEMS = '{% assign a = (1..900000) %}';
const DOUBLED_TEXTS = `{% assign a = "${'a'.repeat(100)}" %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a }}`;
/** From here on adding one gives the same number again. */
const UNSAFE = Number.MAX_SAFE_INTEGER + 1;

function repeated(text: string, times: number, between: string): string {
  return Array(times).fill(text).join(between);
}

describe(AgentTemplates.name, () => {
  const templates = new AgentTemplates();

  function refusal(prompt: string): { message: string; details: unknown } {
    try {
      templates.check(prompt);
    } catch (error) {
      const { message, code, param, details } = error as Record<string, unknown>;
      expect([code, param]).toEqual([REFUSED, 'prompt']);
      return { message: String(message), details };
    }
    throw new Error(`"${prompt.slice(0, 100)}" was accepted`);
  }

  describe('check', () => {
    it('takes every variable that is documented', () => {
      const names = Object.entries(TEMPLATE_VARIABLES).flatMap(([root, fields]) =>
        (fields ?? []).map((field) => `{{ ${root}.${field} }}`),
      );
      expect(() =>
        templates.check(`${names.join('')}{{ earlier[0].output }}{{ task.metadata.any.thing }}`),
      ).not.toThrow();
    });

    it('takes conditions, loops and variables of its own', () => {
      templates.check(
        '{% assign count = task.deliverables | size %}{% if count > 1 and project %}{{ count }}{% else %}-{% endif %}' +
          '{% for item in task.deliverables %}{{ forloop.index }}. {{ item | strip | capitalize }}{% endfor %}' +
          '{% case task.priority %}{% when 100 %}!{% endcase %}{% capture x %}a{% endcapture %}{{ x }}{% raw %}{{ y }}{% endraw %}',
      );
    });

    it.each([
      ['Hi\n  {{ task.titel }}', { line: 2, column: 6 }, 'there is no variable "task.titel"'],
      ['{{ taks.title }}', { line: 1, column: 4 }, 'there is no variable "taks"'],
      ['{{ user.password }}', { line: 1, column: 4 }, 'known are task, project, agent, earlier'],
      ['{{ task.constructor.name }}', { line: 1, column: 4 }, 'there is no variable "task.constructor"'],
      ['a\n {{ task.title | shout }}', { line: 2, column: 2 }, 'undefined filter: shout'],
      ['a\n {% nothing %}', { line: 2, column: 2 }, 'tag "nothing" not found'],
      ['a\n {% if task %}', { line: 2, column: 2 }, 'not closed'],
      ['a\n {{ task.title', { line: 2, column: 2 }, 'not closed'],
    ])('refuses %j, naming line and column', (prompt, place, reason) => {
      const { message, details } = refusal(prompt);
      expect(message).toContain(`(line ${place.line}, column ${place.column})`);
      expect(message).toContain(reason);
      expect(details).toEqual(place);
    });

    it.each([
      `{% include '/etc/passwd' %}`,
      `{% render 'package.json' %}`,
      `{% layout 'x' %}`,
      `{% block x %}{% endblock %}`,
      `{% liquid echo task.title %}`,
      `{% tablerow x in earlier %}{% endtablerow %}`,
      `{{ task.title | hmac_sha256: 'x' }}`,
      `{{ 'now' | date: '%s' }}`,
      `{{ task.deliverables | sample }}`,
      `{{ task.title | constructor }}`,
      `{{ task.title | where_exp: 'x', 'x' }}`,
    ])('refuses %s, which is no part of a prompt', (prompt) => {
      expect(refusal(prompt).message).toMatch(/undefined filter|not found|there is no variable/);
    });

    it.each([
      ['doubled texts', DOUBLED_TEXTS, 'memory alloc limit exceeded'],
      [
        'huge outputs',
        `{% for i in (1..20) %}${'x'.repeat(15_000)}{% endfor %}`,
        'it gives more than 200000 characters',
      ],
      ['long ranges', '{% for i in (1..100000000) %}x{% endfor %}', 'memory alloc limit exceeded'],
      ['deep nesting', `{{ ${'('.repeat(9000)}1${')'.repeat(9000)} }}`, 'it is nested too deeply'],
      ['too long a template', 'x'.repeat(MAX_AGENT_PROMPT + 1), 'parse length limit exceeded'],
    ])('refuses %s', (_, prompt, reason) => {
      expect(refusal(prompt).message).toContain(reason);
    });

    it.each([
      ['loops', `${ITEMS}{% for i in a %}{% for j in a %}{% endfor %}{% endfor %}`],
      ['loops over one tag', `${ITEMS}${'{% for j in a %}{% endfor %}'.repeat(200)}`],
      ['comparisons for equality', `${ITEMS}{% if ${repeated('a != a', 200, ' or ')} %}{% endif %}`],
      ['comparisons of order', `${ITEMS}{% if ${repeated('a < a', 200, ' or ')} %}{% endif %}`],
      ['searches in lists', `${ITEMS}{% if ${repeated('a contains "x"', 200, ' or ')} %}{% endif %}`],
      ['cases', `${ITEMS}{% case a %}{% when ${repeated('a', 200, ', ')} %}{% endcase %}`],
      ['long paths of "where"', `${ITEMS}{% assign b = a | where: "${repeated('a', 8000, '.')}" %}`],
      ['long paths of "map"', `${ITEMS}{% assign b = a | map: "${repeated('a', 8000, '.')}" %}`],
      ['long paths of "sort"', `${ITEMS}{% assign b = a | sort: "${repeated('a', 8000, '.')}" %}`],
    ])('stops endless %s', (_, prompt) => {
      expect(refusal(prompt).message).toContain('it takes longer than 100 ms');
    });

    it.each([
      ['up', `(${UNSAFE - 1}..${UNSAFE + 2})`],
      ['below zero', `(-${UNSAFE + 4}..-${UNSAFE - 1})`],
      ['with a text', `("${UNSAFE}".."${UNSAFE + 2}")`],
    ])('refuses ranges of numbers that cannot be counted %s', (_, range) => {
      for (const prompt of [`{% for i in ${range} %}{% endfor %}`, `{{ earlier | where: '[${range}]' }}`]) {
        expect(refusal(prompt).message).toContain('a range is out of bounds');
      }
    });

    it.each([
      ['doubled captures', `{% assign a = "a" %}${'{% capture a %}{{a}}{{a}}{% endcapture %}'.repeat(25)}`],
      [
        'long searches',
        `{% capture a %}{% for i in (1..2000) %}${'a'.repeat(50)}{% endfor %}{% endcapture %}{% if ${Array(40)
          .fill(`a contains "b${'a'.repeat(40)}"`)
          .join(' or ')} %}{% endif %}`,
      ],
    ])('refuses %s by what they take, before the time is over', (_, prompt) => {
      expect(refusal(prompt).message).toContain('memory alloc limit exceeded');
    });
  });

  describe('render', () => {
    it('shows own properties only', () => {
      const task = { title: 'One', metadata: JSON.parse('{"a":1,"toLiquid":"x"}') as object };
      const prompt =
        '[{{ task.title.constructor }}][{{ task.metadata.constructor }}][{{ task.metadata.__proto__ }}][{{ task.metadata.a }}]';
      expect(templates.render(prompt, { task })).toBe('[][][][1]');
    });

    it('counts from any number to any other', () => {
      const prompt = '{% for i in (task.metadata.from..to) %}{{ i }},{% endfor %}';
      const rendered = (from: unknown, to: string) =>
        templates.render(`{% assign to = ${to} %}${prompt}`, { task: { metadata: { from } } });
      expect(rendered(-1, '"2"')).toBe('-1,0,1,2,');
      expect(rendered('1', '(3..3) | first')).toBe('1,2,3,');
      expect(rendered(Number.MAX_SAFE_INTEGER - 1, '9007199254740991')).toBe(
        '9007199254740990,9007199254740991,',
      );
      expect(rendered('a', '2')).toBe('');
      expect(rendered(undefined, '2')).toBe('');
    });

    it('stops what takes too long only with what is put into it', () => {
      const prompt = `{% assign a = task.metadata.list %}{% if ${repeated('a != a', 200, ' or ')} %}{% endif %}-`;
      const scopeOf = (length: number) => ({ task: { metadata: { list: Array(length).fill('x') } } });
      expect(templates.render(prompt, scopeOf(1))).toBe('-');
      expect(() => templates.render(prompt, scopeOf(900_000))).toThrow('it takes longer than 250 ms');
      expect(templates.render(prompt, scopeOf(1))).toBe('-');
    });

    it('leaves out what is not there', () => {
      expect(templates.render('{{ project.name }}{% if project %}x{% endif %}-', {})).toBe('-');
    });

    it('refuses what grows too long only with what is put into it', () => {
      const prompt = '{{ task.title }}';
      templates.check(prompt);
      expect(templates.render(prompt, { task: { title: 'x'.repeat(MAX_RENDERED) } })).toHaveLength(
        MAX_RENDERED,
      );
      expect(() => templates.render(prompt, { task: { title: 'x'.repeat(MAX_RENDERED + 1) } })).toThrow(
        expect.objectContaining({ code: REFUSED, param: 'prompt' }),
      );
    });
  });
});
