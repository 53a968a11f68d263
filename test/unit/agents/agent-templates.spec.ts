import { AgentTemplates, MAX_RENDERED, TEMPLATE_VARIABLES } from '../../../src/agents/agent-templates';
import { MAX_AGENT_PROMPT } from '../../../src/agents/index';

const REFUSED = 'VALIDATION_FAILED';

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
      ['endless loops', '{% for i in (1..100000) %}{% for j in (1..100000) %}x{% endfor %}{% endfor %}'],
      [
        'doubled texts',
        `{% assign a = "${'a'.repeat(100)}" %}{% for i in (1..60) %}{% assign a = a | append: a %}{% endfor %}{{ a }}`,
      ],
      ['huge outputs', `{% for i in (1..1000) %}${'x'.repeat(15_000)}{% endfor %}`],
      ['deep nesting', `{{ ${'('.repeat(9000)}1${')'.repeat(9000)} }}`],
      ['too long a template', 'x'.repeat(MAX_AGENT_PROMPT + 1)],
    ])('refuses %s', (_, prompt) => {
      refusal(prompt);
    });

    it.each([
      [
        'doubled captures',
        `{% assign a = "a" %}${'{% capture a %}{{a}}{{a}}{% endcapture %}'.repeat(25)}{% if a contains "b" %}{% endif %}`,
      ],
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
