"""Chinese rows that are tasks about a given text, and their material. All rows are made up for this table."""

import pytest

from pipeline.text.fragments import Fragment, find_fragment
from tests.tables import each_row

LIMIT = 200
RAIN = "昨晚的雨一直下到天亮，村口的小桥被水淹没了。孩子们只好绕山路去上学。"
HOTEL = "房间很干净，可是隔壁整夜都在唱歌，前台也没有人接电话。"

# (instruction, separate material, kind, text)
TASKS = [
    # the material in its own field
    ("判断下面这条评论是正面还是负面。", HOTEL, "sentiment", HOTEL),
    ("分析这段文字表达的情绪。", RAIN, "sentiment", RAIN),
    ("对以下评论进行情感分类。", HOTEL, "sentiment", HOTEL),
    ("请总结下面的文章。", RAIN, "summarizing", RAIN),
    ("用一句话概括这段话的主要内容。", RAIN, "summarizing", RAIN),
    ("请为以下文本生成一个摘要", RAIN, "summarizing", RAIN),
    ("将以下短文缩写到二十字以内。", RAIN, "summarizing", RAIN),
    ("从下面的文本中提取人名和地名。", "王小梅上周从昆明坐火车去了拉萨。", "extraction",
     "王小梅上周从昆明坐火车去了拉萨。"),
    ("找出句子中的动词。", "小猫悄悄地跳上了窗台。", "extraction", "小猫悄悄地跳上了窗台。"),
    ("抽取文中的时间信息", "会议改到星期四下午三点召开。", "extraction", "会议改到星期四下午三点召开。"),
    ("给出以下文章的关键词。", RAIN, "keywords", RAIN),
    ("将下列新闻归类为体育、财经或娱乐。", "主队在加时赛最后一分钟踢进了制胜球。", "classification",
     "主队在加时赛最后一分钟踢进了制胜球。"),
    ("判断以下陈述是否正确。", "蝙蝠是一种会飞的鸟类。", "classification", "蝙蝠是一种会飞的鸟类。"),
    ("把这些物品分成厨具和文具。", "锅铲、橡皮、铅笔、砧板", "classification", "锅铲、橡皮、铅笔、砧板"),
    ("确定下列句子使用的修辞手法。", "月亮像一只小船漂在天上。", "classification", "月亮像一只小船漂在天上。"),
    ("润色下面这段话。", "我今天去了公园，公园里人很多，很好玩。", "editing",
     "我今天去了公园，公园里人很多，很好玩。"),
    ("把下面的句子改为被动语态。", "老鼠偷吃了奶酪。", "editing", "老鼠偷吃了奶酪。"),
    ("扩写以下句子，使它更生动。", "她走进了房间。", "editing", "她走进了房间。"),
    ("改正下面句子里的错别字。", "我门明天去怕山。", "correction", "我门明天去怕山。"),
    ("修改病句。", "通过这次活动，使我明白了道理。", "correction", "通过这次活动，使我明白了道理。"),
    ("用另一种方式表达下面的意思。", "他总是说到做到。", "paraphrase", "他总是说到做到。"),
    ("改写以下句子，意思不变。", "时间过得真快啊。", "paraphrase", "时间过得真快啊。"),
    ("将下面的句子翻译成英文。", "请问最近的药店在哪里？", "translation", "请问最近的药店在哪里？"),
    ("为下面的故事起一个标题。", RAIN, "title", RAIN),
    ("续写下面的故事。", RAIN, "continuation", RAIN),
    ("在空格处填入合适的词。", "他____地看着窗外的大雪。", "continuation", "他...地看着窗外的大雪。"),
    ("比较下面两个句子的意思。", "句子1：他差点迟到。\n句子2：他差点没迟到。", "comparison",
     "他差点迟到。他差点没迟到。"),
    ("把下面的信息整理成表格。", "姓名：李雷\n年龄：二十岁\n爱好：游泳和下棋", "conversion",
     "姓名：李雷，年龄：二十岁，爱好：游泳和下棋"),
    ("将下面的段落改编成一首诗。", RAIN, "conversion", RAIN),
    ("按时间先后排列下列事件。", "1. 大桥通车\n2. 工程开工\n3. 设计完成", "ordering",
     "大桥通车，工程开工，设计完成"),
    ("把打乱的词语连成一句话。", "公园、我们、周末、去、常常", "ordering", "公园、我们、周末、去、常常"),
    ("根据下面的短文提出两个问题。", RAIN, "questions", RAIN),
    ("根据短文回答问题。", f"短文：{RAIN}\n问题：孩子们怎么去上学？", "question_answering", RAIN),
    ("阅读下面的材料，孩子们为什么绕路？", RAIN, "question_answering", RAIN),
    ("赏析下面的诗句。", "小桥流水人家，古道西风瘦马。", "analysis", "小桥流水人家，古道西风瘦马。"),
    ("解释这句话的意思。", "纸上得来终觉浅。", "analysis", "纸上得来终觉浅。"),
    # behind a colon
    ("请将以下句子翻译成法语：今天的晚霞真好看。", "", "translation", "今天的晚霞真好看。"),
    ("用更礼貌的语气改写这句话：“快把门关上！”", "", "paraphrase", "快把门关上！"),
    ("把下列水果按大小排序：西瓜、樱桃、苹果、葡萄", "", "ordering", "西瓜、樱桃、苹果、葡萄"),
    ("将下面的句子分类为：疑问句、陈述句、感叹句\n你吃过饭了吗？", "", "classification", "你吃过饭了吗？"),
    ("将下面的句子归为：日常生活里的各种问候用语，其他\n你吃过饭了吗？", "", "classification", "你吃过饭了吗？"),
    ("对下面的句子进行分类：体育、旅行、美食\n你吃过饭了吗？", "", "classification", "你吃过饭了吗？"),
    # on further lines
    ("总结下面的对话\n甲：船卖掉了。\n乙：那船桨呢？", "", "summarizing", "甲：船卖掉了。乙：那船桨呢？"),
    (f"请概括下面文章的大意。\n{RAIN}", "", "summarizing", RAIN),
    (f"提取下列文字的关键信息\n\n{RAIN}", "", "keywords", RAIN),
    (f"给下面的短文拟一个题目\n要求：不超过十个字\n{RAIN}", "", "title", RAIN),
    ("判断下面的句子是否通顺。\n他把作业交给了给老师。", "", "classification", "他把作业交给了给老师。"),
    # in quotation marks
    ("“他的话像一把刀子”这句话用了什么修辞手法？", "", "classification", "他的话像一把刀子"),
    ("请把「我不同意你的看法」改得委婉一些。", "", "editing", "我不同意你的看法"),
    # before the order
    (f"{RAIN}\n\n请总结上文。", "", "summarizing", RAIN),
    (f"{RAIN}\n请根据以上内容写一个标题。", "", "title", RAIN),
    (f"{HOTEL}\n这条评论的情感是什么？", "", "sentiment", HOTEL),
    (f"{HOTEL}判断这条评论是好评还是差评。", "", "sentiment", HOTEL),
    # sentences of one line
    ("纠正下面句子的语法错误。我昨天去了商店买东西了。", "", "correction", "我昨天去了商店买东西了。"),
    (f"总结这篇文章。不要超过三十个字。{RAIN}", "", "summarizing", RAIN),
    # sections, labels and what is left of chat formats
    (f"### 指令：\n总结以下文章。\n\n### 输入：\n{RAIN}\n\n### 输出：\n", "", "summarizing", RAIN),
    ("识别文本的语言风格。输入：老铁们，今天这碗面真带劲！", "", "classification", "老铁们，今天这碗面真带劲！"),
    (f"{RAIN}\n问题：孩子们怎么上学？\n答案：", "", "question_answering", RAIN),
    (f"文本：{RAIN}\n任务：给文本起个标题。", "", "title", RAIN),
    (f"Human: 请总结下面的文章。\n{RAIN}\nAssistant: 下雨了。", "", "summarizing", RAIN),
    ("总结。", f"原文：{RAIN}\n摘要：", "summarizing", RAIN),
    ("找出错误。", "输入：“他的成绩提高了很多进步。”", "correction", "他的成绩提高了很多进步。"),
    ("汤是凉的，账也算错了。", "指示：把这句话改得委婉一些。", "editing", "汤是凉的，账也算错了。"),
    (f"阅读下面的文章，回答问题：\n{RAIN}\n孩子们怎么上学？", "", "question_answering", RAIN),
    # markup
    ("总结下面的内容。", "**第一**，多喝水；\n- 第二，早睡觉；\n- 第三，常散步。", "summarizing",
     "第一，多喝水；第二，早睡觉；第三，常散步。"),
    ("分类这些句子。", "|编号|句子|\n|---|---|\n|1|他来了。|\n|2|你呢？|", "classification",
     "1，他来了。2，你呢？"),
]  # fmt: skip

# (instruction, separate material)
WHOLE = [
    ("秘鲁的首都是哪里？", ""),
    ("给出这个国家的首都。", "法国"),
    ("为什么天空是蓝色的？", ""),
    ("我最近总是睡不好，有什么办法吗？", ""),
    ("根据给定的主题写一篇作文。", "我最难忘的一次旅行"),
    ("写一首关于秋天的诗。", ""),
    ("用以下词语写一个故事。", "灯塔、鲸鱼、面包、星星"),
    ("给出这个词的反义词。", "勇敢"),
    ("把这个单词翻译成英语。", "房子"),
    ("将下面的英文翻译成中文。", "Where is the nearest bakery?"),
    ("分析下面句子的语法。", "The mice ate all the cheese."),
    ("总结《红楼梦》的主要情节。", ""),
    ("总结文章“北海的漫长道路”。", ""),
    ("总结下面的文章。", "https://example.com/news/2020"),
    ("总结下面的文章。", "无"),
    ("总结下面的文章。", "《北海的漫长道路》"),
    ("总结下面的文章。", "The mice ate all the cheese and left，好家伙，真的。"),
    ("总结“北海的漫长道路”一文的内容。", ""),
    ("将下列数字从小到大排列。", "9，4，17，2"),
    ("找出下面代码中的错误。", "for i in range(3) print(i)"),
    ("编写一个函数来反转句子。", "今天天气很好"),
    ("比较猫和狗。", ""),
    ("比较这两位科学家，并以句子形式输出。", "人物一：牛顿，英国人\n人物二：伽利略，意大利人"),
    ("解释光合作用。", ""),
    ("“画蛇添足”是什么意思？", ""),
    ("推荐三本适合孩子读的书：要有图画，不要太长。", ""),
    ("改写下面的段落。", ""),
    ("回复这封邮件。", "请问您星期二中午有空一起吃饭吗？"),
    ("今天的雨真大。", ""),
    ("他站在门口。没有人说话。", ""),
    ("五公里等于多少米？", ""),
    ("设计一个标志。", "蓝蕨面包店"),
    ("", RAIN),
    ("", ""),
]


@each_row(("instruction", "material", "kind", "text"), TASKS)
def test_a_task_leaves_its_material(instruction: str, material: str, kind: str, text: str) -> None:
    assert find_fragment(instruction, material, "zh", LIMIT) == Fragment(kind, text)


@each_row(("instruction", "material"), WHOLE)
def test_other_rows_are_passed_whole(instruction: str, material: str) -> None:
    assert find_fragment(instruction, material, "zh", LIMIT) is None


@pytest.mark.parametrize(
    ("limit", "text"),
    [
        (200, RAIN),
        (32, RAIN),
        (25, "昨晚的雨一直下到天亮，村口的小桥被水淹没了。"),
        (12, "昨晚的雨一直下到天亮，村口"),
        (2, "昨晚"),
    ],
)
def test_long_material_is_cut_at_a_sentence_end_where_one_is_near(limit: int, text: str) -> None:
    found = find_fragment("总结下面的文章。", RAIN, "zh", limit)
    assert found is not None
    assert found.text == text


@pytest.mark.parametrize("limit", [0, -1])
def test_without_room_there_is_no_fragment(limit: int) -> None:
    assert find_fragment("总结下面的文章。", RAIN, "zh", limit) is None
