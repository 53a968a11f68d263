import { planIn } from '../../../src/projects/plans/plan-text';

const PLAN = { summary: 'Do {it}', tasks: [{ title: 'A "quoted" [title]', dependsOn: [] }] };
const JSON_TEXT = JSON.stringify(PLAN, null, 2);

describe(planIn.name, () => {
  it.each([
    ['bare', JSON_TEXT],
    ['in fences', `\`\`\`json\n${JSON_TEXT}\n\`\`\``],
    ['in fences with prose around', `Sure! Here it is:\n\`\`\`\n${JSON_TEXT}\n\`\`\`\nTell me {if} it fits.`],
    ['behind prose with braces', `I use the form {title, agent} and [notes].\n${JSON_TEXT}`],
    ['behind an object that is none', `{"thoughts": "none"} ${JSON_TEXT}`],
    ['behind a brace that is never closed', `The set { of ideas. ${JSON_TEXT}`],
    ['behind a quotation mark in a brace', `{ " ${JSON_TEXT}`],
    ['one level deep', JSON.stringify({ plan: PLAN })],
    [
      'with commas too many',
      JSON_TEXT.replace('"dependsOn": []', '"dependsOn": [],').replace(/\]\s*\}$/, '],}'),
    ],
    ['before an empty one', `${JSON_TEXT}\n{"tasks": []}`],
    ['behind its form', `The format is {"summary": "...", "tasks": []}.\n${JSON_TEXT}`],
    ['behind a draft', `{"tasks": [{"title": "Draft"}]}\nNo, better:\n${JSON_TEXT}`],
    ['before a list of titles', `${JSON_TEXT}\nChanged: [{"title": "A"}]`],
    ['behind code', `\`\`\`js\n${'if (a[0]) { b({ c: [1, 2] }); }\n'.repeat(200)}\`\`\`\n${JSON_TEXT}`],
  ])('finds a plan %s', (_, text) => {
    expect(planIn(text)).toEqual(PLAN);
  });

  it('takes the bare list of tasks', () => {
    expect(planIn(`Tasks: ${JSON.stringify(PLAN.tasks)}`)).toEqual({ tasks: PLAN.tasks });
  });

  it('leaves commas in texts alone', () => {
    expect(planIn('{"summary": "a, ] b,}", "tasks": [1,],}')).toEqual({ summary: 'a, ] b,}', tasks: [1] });
  });

  it.each([
    ['nothing', ''],
    ['prose', 'I cannot do that.'],
    ['an answer that was cut off', JSON_TEXT.slice(0, -10)],
    ['an object without tasks', '{"summary": "none"}'],
    ['tasks that are no list', '{"tasks": "all"}'],
    ['a list of anything', '[1, 2, {"name": "x"}]'],
    ['braces without end', '{'.repeat(100_000)],
    ['objects without end', '{"a":'.repeat(100_000)],
  ])('finds none in %s', (_, text) => {
    expect(planIn(text)).toBeUndefined();
  });
});
