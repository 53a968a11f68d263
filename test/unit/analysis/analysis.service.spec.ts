import path from 'node:path';
import { AnalysisService, type Patterns, PatternSet, TaskClassifier } from '../../../src/analysis/index';
import type { ChatMessage, TaskType } from '../../../src/common/index';
import type { AppConfig } from '../../../src/config/index';
import { ValidationError } from '../../../src/errors/index';
import { aRequest } from '../../support/factories';

const CONFIG = [path.join(__dirname, '../../../config')];
const shipped = PatternSet.load(CONFIG);
const classifier = TaskClassifier.load(CONFIG);

function service(cacheSize = 16, patterns = shipped): AnalysisService {
  return new AnalysisService({ current: patterns } as Patterns, classifier, {
    vars: { ANALYZER_CACHE_SIZE: cacheSize },
  } as unknown as AppConfig);
}

const user = (content: ChatMessage['content']): ChatMessage => ({ role: 'user', content });
const ask = (content: string) => aRequest({ messages: [user(content)] });
const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${'A'.repeat(100_000)}` } };
const tool = { type: 'function', function: { name: 'get_weather', parameters: { type: 'object' } } };

describe(AnalysisService.name, () => {
  describe('task type from the text', () => {
    const article = 'The river rose by two metres overnight and the town council met in the morning. '.repeat(
      12,
    );

    it.each<[TaskType, string]>([
      ['CODE_GENERATION', 'Write a TypeScript function that debounces another function.'],
      ['CODE_GENERATION', 'def median(values):\n    """Return the middle value of a sorted list."""\n'],
      ['CODE_GENERATION', '用Python写一个爬虫程序，抓取网页标题'],
      [
        'DEBUGGING',
        'Fix this code:\n```python\nfor i in range(3)\n    print(i)\n```\nSyntaxError: invalid syntax',
      ],
      ['DEBUGGING', '下面的代码报错，请帮我修复：\n```js\nconsole.log(x\n```'],
      ['DATA_ANALYSIS', 'Find outliers in the price column of this dataset and give the standard deviation.'],
      ['DATA_ANALYSIS', '请对这组数据进行分析，计算标准差并找出异常值'],
      ['MATH', 'Solve the equation x^2 - 5x + 6 = 0.'],
      ['MATH', '一个长方形的长是8厘米，宽是5厘米，面积是多少平方厘米？'],
      [
        'REASONING',
        'All cats are animals; some animals are black. Is it a valid deduction that some cats are black? Explain your reasoning.',
      ],
      ['REASONING', '甲说乙在说谎，乙说丙在说谎，请推理谁说的是真话'],
      ['CREATIVE_WRITING', 'Write a short story about a lighthouse keeper who befriends a storm.'],
      ['CREATIVE_WRITING', '写一首关于秋天的诗'],
      ['TRANSLATION', 'Translate this sentence into German: the train is late.'],
      ['TRANSLATION', '把这句话翻译成英文：火车晚点了'],
      ['SUMMARIZATION', `Summarize the following article in three sentences.\n\n${article}`],
      ['SUMMARIZATION', `${article}\n\nTL;DR`],
      ['SUMMARIZATION', '请总结以下文章的主要内容：今天上午市政府召开会议。'],
      [
        'EXTRACTION',
        'Extract all email addresses from the text: write to ann@example.org or bob@example.org.',
      ],
      ['EXTRACTION', '请从以下文本中提取所有人名：张三和李四昨天去了北京。'],
      [
        'CLASSIFICATION',
        'Classify the sentiment of this review as positive or negative: "I loved every minute."',
      ],
      ['CLASSIFICATION', '判断这条评论的情感倾向是正面还是负面：服务很差。'],
      ['GENERAL', 'What are some good ways to stay awake on a long drive?'],
      ['GENERAL', '请问北京有哪些好玩的地方？'],
    ])('%s: %s', (expected, prompt) => {
      expect(service().profile(ask(prompt)).taskType).toBe(expected);
    });

    it.each(['', ' \n'])('is GENERAL with low confidence when there is no text (%j)', (text) => {
      const profile = service().profile(ask(text));
      expect(profile).toMatchObject({ taskType: 'GENERAL', source: 'default', patterns: [], secondary: [] });
      expect(profile.confidence).toBeLessThan(0.5);
    });

    it('is not sure of itself when the text says nothing', () => {
      expect(service().profile(ask('Lorem ipsum dolor')).confidence).toBeLessThan(0.5);
    });

    it('names the patterns that matched', () => {
      const profile = service().profile(ask('Translate this poem into French and summarize it.'));
      expect(profile.source).toBe('classifier');
      expect(profile.patterns).toEqual(expect.arrayContaining(['translation.verb', 'summary.verb']));
    });

    it('keeps what else it may be when it is not sure, confidences within 1', () => {
      const unsure = ['Hello', 'And now?', 'Look at this list of numbers: 3, 5, 8'].map((text) =>
        service().profile(ask(text)),
      );
      expect(unsure.filter(({ secondary }) => secondary.length > 0)).not.toEqual([]);
      for (const profile of unsure) {
        const total = [profile, ...profile.secondary].reduce((sum, { confidence }) => sum + confidence, 0);
        expect(total).toBeLessThanOrEqual(1);
      }
    });
  });

  describe('conversations', () => {
    const translate = user('Translate to Spanish: good morning');

    it('weighs the last user turn most', () => {
      const answer: ChatMessage = { role: 'assistant', content: 'Buenos días' };
      const request = aRequest({
        messages: [translate, answer, user('Now write a Python script that prints it')],
      });
      expect(service().profile(request).taskType).toBe('CODE_GENERATION');
    });

    it('looks at the turn before when the last one says nothing', () => {
      const answer: ChatMessage = { role: 'assistant', content: 'Buenos días' };
      const request = aRequest({ messages: [translate, answer, user('and "good night"')] });
      expect(service().profile(request).taskType).toBe('TRANSLATION');
    });

    it('sees the system prompt', () => {
      const system: ChatMessage = { role: 'system', content: 'Classify each message as spam or not spam.' };
      const request = aRequest({ messages: [system, user('Congratulations, a prize is waiting')] });
      expect(service().profile(request).taskType).toBe('CLASSIFICATION');
    });

    it('finds the question at the end of a long text', () => {
      const text = `${'The harbour was quiet. '.repeat(2_000)}\n\nTranslate the text above into Italian.`;
      expect(service().profile(ask(text)).taskType).toBe('TRANSLATION');
    });
  });

  describe('task type from the fields', () => {
    it('is TOOL_USE with tools, and keeps the type of the text', () => {
      const profile = service().profile(
        aRequest({ messages: [user('Write a poem about rain')], tools: [tool] }),
      );
      expect(profile).toMatchObject({ taskType: 'TOOL_USE', source: 'fields', needs: { tools: true } });
      expect(profile.secondary.map(({ taskType }) => taskType)).toEqual(['CREATIVE_WRITING']);
    });

    it('needs tools for server-side tools, and for tools that may not be called this time', () => {
      const serverSide = service().profile(aRequest({}, { tools: ['current_time'] }));
      expect(serverSide).toMatchObject({
        taskType: 'TOOL_USE',
        needs: { tools: true },
        features: { toolCount: 1 },
      });
      const switchedOff = service().profile(aRequest({ tools: [tool], tool_choice: 'none' }));
      expect(switchedOff).toMatchObject({ taskType: 'GENERAL', needs: { tools: true } });
    });

    it('is VISION with images in any turn', () => {
      const messages = [user([image, { type: 'text', text: 'What is this?' }]), user('And its colour?')];
      const profile = service().profile(aRequest({ messages }));
      expect(profile).toMatchObject({
        taskType: 'VISION',
        needs: { vision: true },
        features: { imageCount: 1 },
      });
    });

    it('keeps VISION beside TOOL_USE', () => {
      const profile = service().profile(aRequest({ messages: [user([image])], tools: [tool] }));
      expect(profile.taskType).toBe('TOOL_USE');
      expect(profile.secondary[0]).toEqual({ taskType: 'VISION', confidence: 1 });
    });

    it.each([
      [
        { response_format: { type: 'json_schema', json_schema: { name: 'a' } } },
        { jsonSchema: true, jsonObject: false },
      ],
      [{ response_format: { type: 'json_object' } }, { jsonSchema: false, jsonObject: true }],
      [{ stream: true }, { streaming: true }],
      [{}, { jsonSchema: false, jsonObject: false, streaming: false, vision: false, tools: false }],
    ])('reads the needs of %j', (body, needs) => {
      expect(service().profile(aRequest(body)).needs).toMatchObject(needs);
    });
  });

  describe('override', () => {
    it.each(['MATH', 'math', ' Math '])('takes %j as it is meant', (taskType) => {
      const profile = service().profile(aRequest({ tools: [tool] }, { taskType }));
      expect(profile).toMatchObject({ taskType: 'MATH', confidence: 1, source: 'override', secondary: [] });
      expect(profile.needs.tools).toBe(true);
    });

    it('refuses what is no task type, naming the field and the known values', () => {
      const refused = (): unknown => service().profile(aRequest({}, { taskType: 'POETRY' }));
      expect(refused).toThrow(ValidationError);
      expect(refused).toThrow(/CODE_GENERATION.*TOOL_USE/);
      expect(refused).toThrow(expect.objectContaining({ param: 'x-lattice-task-type' }));
    });
  });

  describe('token counts', () => {
    it('estimates a quarter of the bytes and a tenth more, per the text alone', () => {
      const { features } = service().profile(ask('a'.repeat(400)));
      expect(features.estimatedPromptTokens).toBe(110);
      expect(service().profile(ask('好'.repeat(400))).features.estimatedPromptTokens).toBe(330);
    });

    it('counts an image as 1,000 tokens and not its base64', () => {
      const { features } = service().profile(
        aRequest({ messages: [user([image, { type: 'text', text: 'abcd' }])] }),
      );
      expect(features.estimatedPromptTokens).toBe(1_000 + 2);
      expect(features.boundPromptTokens).toBeGreaterThanOrEqual(4_004);
      expect(features.boundPromptTokens).toBeLessThan(5_000);
    });

    it('counts tool definitions', () => {
      const long = { ...tool, function: { ...tool.function, description: 'x'.repeat(4_000) } };
      const { features } = service().profile(aRequest({ tools: [long] }));
      expect(features.estimatedPromptTokens).toBeGreaterThan(1_100);
      expect(features.boundPromptTokens).toBeGreaterThan(5_000);
    });

    it.each(['plain text', '中文 und Ümläute 🙂', '"quoted"\n\t\\ '])(
      'bounds every tokenizer of %j',
      (text) => {
        const { features } = service().profile(ask(text));
        expect(features.boundPromptTokens).toBeGreaterThanOrEqual(Buffer.byteLength(text) + 4);
        expect(features.boundPromptTokens).toBeGreaterThan(features.estimatedPromptTokens);
      },
    );
  });

  describe('features', () => {
    it.each([
      ['en', 'Please explain what this is and how it works'],
      ['zh', '请用 Python 解释一下这个函数'],
      ['ja', 'この文章を要約してください'],
      ['ko', '이 문장을 번역해 주세요'],
      ['ru', 'Объясни, как это работает'],
      ['ar', 'اشرح لي كيف يعمل هذا'],
      ['es', '¿Cómo puedo hacer una tortilla de patatas para mi familia?'],
      ['fr', 'Comment puis-je faire une tarte avec des pommes pour ce soir ?'],
      ['de', 'Wie kann ich das für die Prüfung am besten lernen?'],
      ['und', '12345 + 678'],
    ])('recognises %s', (language, text) => {
      expect(service().profile(ask(text)).features.language).toBe(language);
    });

    it('sees code, and finds a proof harder than a greeting', () => {
      expect(service().profile(ask('```\nx\n```')).features.hasCode).toBe(true);
      const easy = service().profile(ask('hello')).features;
      const hard = service().profile(
        ask('Prove step by step that the algorithm must be optimal; at least two proofs'),
      ).features;
      expect(easy.hasCode).toBe(false);
      expect(hard.complexity).toBeGreaterThan(easy.complexity + 0.3);
    });
  });

  describe('cache', () => {
    const text = 'Write a haiku about snow';

    it('reads a text once and computes the fields anew', () => {
      const analysis = service();
      const read = jest.spyOn(shipped, 'read');
      const plain = analysis.profile(ask(text));
      const other = analysis.profile(
        aRequest({
          messages: [user(text)],
          tools: [tool],
          stream: true,
          max_tokens: 7,
          response_format: { type: 'json_object' },
        }),
      );
      expect(read).toHaveBeenCalledTimes(1);
      read.mockRestore();
      expect(plain).toMatchObject({
        taskType: 'CREATIVE_WRITING',
        needs: { tools: false, streaming: false },
      });
      expect(other).toMatchObject({
        taskType: 'TOOL_USE',
        needs: { tools: true, streaming: true, jsonObject: true },
        features: { requestedMaxTokens: 7, toolCount: 1 },
      });
    });

    it('tells texts apart by which message they stand in', () => {
      const analysis = service();
      const [greeting, order] = ['Hi there ', 'Classify this as spam or not'];
      const system: ChatMessage = { role: 'system', content: order };
      const inOne = analysis.profile(ask(greeting + order));
      const apart = analysis.profile(aRequest({ messages: [system, user(greeting)] }));
      expect(inOne.taskType).toBe('CLASSIFICATION');
      expect(apart.confidence).not.toBe(inOne.confidence);
    });

    it('keeps no more than its size', () => {
      const analysis = service(1);
      const read = jest.spyOn(shipped, 'read');
      for (const prompt of ['one', 'two', 'one']) analysis.profile(ask(prompt));
      expect(read).toHaveBeenCalledTimes(3);
      read.mockRestore();
    });
  });

  it('reads with the patterns that count now, also what it knows already', () => {
    const file = { current: shipped };
    const analysis = new AnalysisService(file as Patterns, classifier, {
      vars: { ANALYZER_CACHE_SIZE: 16 },
    } as unknown as AppConfig);
    const before = analysis.profile(ask('Frobnicate the widget'));
    file.current = PatternSet.parse(
      'patterns.yaml',
      `signals: { code: { words: code } }
features: { code: [code], demanding: [], simple: [] }
patterns: [{ id: own.frobnicate, taskType: MATH, weight: 1, words: frobnicate }]`,
    );
    const after = analysis.profile(ask('Frobnicate the widget'));
    expect(before.patterns).not.toContain('own.frobnicate');
    const mathOf = ({ probabilities }: typeof before) =>
      probabilities.find(({ taskType }) => taskType === 'MATH')?.confidence ?? 0;
    expect(after.patterns).toEqual(['own.frobnicate']);
    expect(mathOf(after)).toBeGreaterThan(mathOf(before) * 2);
    expect(after.patternsVersion).not.toBe(before.patternsVersion);
  });

  it('gives equal, deeply frozen profiles for equal requests', () => {
    const [one, other] = [service().profile(ask('Solve 3x = 12')), service().profile(ask('Solve 3x = 12'))];
    expect(one).toEqual(other);
    for (const part of [one, one.needs, one.features, one.secondary, one.patterns])
      expect(Object.isFrozen(part)).toBe(true);
  });

  it.each([
    ['no message', []],
    ['no user message', [{ role: 'assistant', content: 'Translate this' } as ChatMessage]],
    ['empty content', [user(null), user('')]],
    ['half of a surrogate pair', [user('\ud83d'.repeat(5_000))]],
  ])('copes with %s', (_, messages) => {
    expect(() => service().profile(aRequest({ messages }))).not.toThrow();
  });
});
