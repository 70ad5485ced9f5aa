"""Give Chinese words that are written in two ways, or with and without 儿, a single spelling."""

import re
from itertools import groupby

# Variants of one word, with the same sound and the same meaning: the one that is compared, then the others.
_VARIANTS = """
其他 其它|账号 帐号|账户 帐户|账单 帐单|账目 帐目|账本 帐本|付账 付帐|算账 算帐|结账 结帐|想象 想像|好像 好象
图像 图象|录像 录象|偶像 偶象|身份 身分|成分 成份|分量 份量|部分 部份|过分 过份|缘分 缘份|辈分 辈份|唯一 惟一
唯有 惟有|唯恐 惟恐|思维 思惟|作为 做为|当作 当做|叫作 叫做|看作 看做|称作 称做|装作 装做|用作 用做|变作 变做
做客 作客|做梦 作梦|做主 作主|做伴 作伴|做计划 作计划|合作 合做|小题大做 小题大作|订货 定货|订婚 定婚|定做 订做
定制 订制|热衷 热中|人才 人材|树荫 树阴|笔画 笔划|计划 计画|规划 规画|策划 策画|刻画 刻划|指手画脚 指手划脚
安装 按装|交代 交待|保姆 保母 褓姆|倒霉 倒楣|模仿 摹仿|嘱咐 属咐|吩咐 分付|伙伴 火伴|含糊 含胡|糊涂 胡涂
模糊 模胡|恍惚 恍忽|联系 连系|关联 关连|牵连 牵联|粘贴 黏贴|粘土 黏土|稀罕 希罕|稀奇 希奇|稀少 希少|执着 执著
沉着 沈着|消沉 消沈|干吗 干嘛|啰嗦 罗嗦 啰唆|年轻 年青|一股脑 一古脑|仓促 仓猝|莫名其妙 莫明其妙
再接再厉 再接再励|按部就班 按步就班|名副其实 名符其实|直截了当 直接了当|凋零 雕零|漂泊 飘泊|漂流 飘流|淡泊 澹泊
繁琐 烦琐|繁杂 烦杂|覆盖 复盖|颠覆 颠复|答复 答覆|回复 回覆|耽搁 担搁|耽误 担误|家具 家俱|简练 简炼|精练 精炼
锻炼 锻练|训练 训炼|角色 脚色|局限 侷限|噘嘴 撅嘴|宽宏大量 宽洪大量|流连 留连|蔓延 漫延|弥漫 迷漫|谜团 迷团
盘踞 盘据|凭借 凭藉|枪支 枪枝|喝彩 喝采|神采 神彩|精彩 精采|文采 文彩|透彻 透澈|推诿 推委|委屈 委曲|引申 引伸
约莫 约摸|姿势 姿式|座位 坐位|坐落 座落|驾驭 驾御|仔细 子细|叽叽喳喳 唧唧喳喳|蝴蝶 胡蝶|高粱 高梁|抹杀 抹煞
只有 祇有 衹有|只是 祇是|只要 祇要|只能 祇能|水分 水份|订单 定单|订阅 定阅|订购 定购
词汇 辞汇|度假 渡假|联结 连结|记录 纪录|分辨 分辩|辨别 辩别|即使 既使|必需品 必须品
赔偿 陪偿|搭档 搭挡|装潢 装璜|针砭 针贬|脉搏 脉博|寒暄 寒喧|部署 布署|凑合 凑和
甘拜下风 甘败下风|一筹莫展 一愁莫展|出其不意 出奇不意|迫不及待 迫不急待|再接再厉 再接再砺
谈笑风生 谈笑风声
鲁莽 卤莽|辗转 展转|愤愤不平 忿忿不平|彷徨 旁皇|逼真 偪真
"""
_SPELLINGS = {
    other: first
    for first, *others in (entry.split() for line in _VARIANTS.split("\n") for entry in line.split("|") if entry)
    for other in others
}
# By first characters, so that a text is searched for those alone; the longest first.
_VARIANT = re.compile(
    "|".join(
        f"{first}(?:{'|'.join(sorted((word[1:] for word in words), key=lambda rest: (-len(rest), rest)))})"
        for first, words in groupby(sorted(_SPELLINGS), key=lambda word: word[0])
    )
)

# Words that northerners say with 儿 and others without: their meaning is the same. Not 这儿, 今儿: 这 and 今 are other
# words; and not the child of 女儿, 婴儿, 儿童.
_RHOTACIZED = (
    "一会 这会 那会 多会 一下 一点 有点 差点 早点 快点 慢点 大点 小点 多点 好点 近点 远点 好玩 玩 花 鸟 鱼 "
    "事 活 味 劲 门 块 样 份 条 片 圈 旁边 这边 那边 边 头 根 底 脸 聊天 空 画 歌 词 字 名 心眼 冰棍 胡同 "
    "小孩 老头 老伴 哥们 爷们 姐们 娘们 馅 包 瓶 盖 盘 碗 球 皮 丝 粒 仁 瓣 尖 弯 道 信 谱 串 墨水 豆汁 "
    "豆角 面条 纳闷 没准 起名 大伙 绕远 打嗝 走神 使劲 慢慢 好好 悄悄 今天 明天 牙签 刀把 手套 裤兜 烟卷 "
).split()
_WORDS_OF_LENGTH = {
    length: "|".join(sorted(word for word in _RHOTACIZED if len(word) == length)) for length in (1, 2, 3)
}
_R_ENDING = re.compile(
    "儿(?:" + "|".join(f"(?<=(?:{words})儿)" for words in _WORDS_OF_LENGTH.values() if words) + ")"
    "(?![子女童科媳孙戏化]|歌(?!唱))"
)


def respell(text: str) -> str:
    """Spell every word one way, in folded text: "一会儿" is "一会", "帐号" is "账号"."""
    if "儿" in text:
        text = _R_ENDING.sub("", text)
    return _VARIANT.sub(lambda found: _SPELLINGS[found[0]], text)
