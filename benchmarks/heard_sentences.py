"""Short sentences for `heard.py`, made from a seed: rich in what speech and print spell in different ways.

Templates hold slots: numbers, dates, money, times, percentages, ordinals, units, fractions, versions and names. What
comes out is put into words by the pipeline's own verbalizer, as an answer of a data set would be. The plain sentences
hold compounds, contractions, titles, abbreviations, web words and spelling that differs between countries.
"""

import random
import re
from collections.abc import Callable, Iterator

import zhconv

from pipeline.text.verbalize import is_speakable, verbalize

MONTHS = "January February March April May June July August September October November December".split()
TRADITIONAL_SHARE = 3
"""One Chinese sentence in so many is written in traditional characters."""

NAMES = (
    "Dr. Carter,Mrs. Evans,Mr. Nguyen,Prof. Meyer,Maria,Kevin,Aisha,Mr. O'Brien,Ms. Clark,Sean,Catherine,Jon,Sara,"
    "Stephen,Phillip,Zoe,Capt. Reyes,Katie"
).split(",")
CHINESE_NAMES = "王老师,张伟,李娜,陈医生,小刘,赵先生,周丽,孙教授,阿明,马克".split(",")
ENGLISH_UNITS = (
    "km,miles,kg,lbs,mph,km/h,cm,mm,GB,MB,°C,°F,mL,liters,hours,minutes,mg,square feet,inches,volts,ounces".split(",")
)
CHINESE_UNITS = "公里,公斤,km,kg,cm,毫升,平方米,度,℃,小时,分钟,GB,米,斤,吨,km/h,毫米,个,次,天,ml,瓦".split(",")
ENGLISH_DENOMINATORS = "1/2,1/3,2/3,1/4,3/4,2/5,5/8,1/10".split(",")


def _english_slots(draw: random.Random) -> dict[str, Callable[[], str]]:
    def date() -> str:
        return draw.choice(("{m} {d}", "{m} {d}, {y}", "the {o} of {m}", "{d} {m} {y}")).format(
            m=draw.choice(MONTHS), d=draw.randint(1, 28), y=draw.randint(1900, 2030), o=_ordinal(draw.randint(1, 28))
        )

    return {
        "n": lambda: str(draw.choice((draw.randint(2, 20), draw.randint(21, 99), draw.randint(100, 999)))),
        "small": lambda: str(draw.randint(2, 12)),
        "big": lambda: f"{draw.choice((draw.randint(1000, 9999), draw.randint(10_000, 999_999))):,}",
        "million": lambda: f"{draw.choice(('2', '3.5', '40', '1.2', '700'))} {draw.choice(('million', 'billion'))}",
        "year": lambda: str(draw.choice((draw.randint(1700, 1999), draw.randint(2000, 2030)))),
        "decade": lambda: f"{draw.choice(range(1920, 2000, 10))}s",
        "date": date,
        "time": lambda: (
            f"{draw.randint(1, 12)}:{draw.choice(('00', '05', '15', '30', '42'))} {draw.choice(('a.m.', 'p.m.'))}"
        ),
        "clock": lambda: draw.choice(("half past {}", "a quarter to {}", "{} o'clock", "ten past {}")).format(
            draw.choice("one two three four five six seven eight nine ten eleven twelve".split())
        ),
        "money": lambda: draw.choice(
            (
                *(f"${draw.randint(2, 90)}", f"${draw.randint(2, 90)}.{draw.choice(('50', '99', '25'))}", "€45"),
                *("£12.50", f"${draw.randint(1, 90) * 1000:,}", f"${draw.randint(2, 40)} million", "35 cents"),
                "¥2,000",
            )
        ),
        "pct": lambda: draw.choice((f"{draw.randint(2, 99)}%", f"{draw.randint(1, 9)}.{draw.randint(1, 9)}%")),
        "ord": lambda: _ordinal(draw.randint(1, 120)),
        "unit": lambda: f"{draw.choice((draw.randint(2, 90), draw.randint(100, 900)))} {draw.choice(ENGLISH_UNITS)}",
        "dec": lambda: f"{draw.randint(0, 20)}.{draw.randint(1, 99)}",
        "frac": lambda: draw.choice(ENGLISH_DENOMINATORS),
        "phone": lambda: f"555-{draw.randint(1000, 9999)}",
        "name": lambda: draw.choice(NAMES),
    }


def _chinese_slots(draw: random.Random) -> dict[str, Callable[[], str]]:
    return {
        "n": lambda: str(draw.choice((draw.randint(2, 20), draw.randint(21, 99), draw.randint(100, 999)))),
        "small": lambda: str(draw.randint(2, 12)),
        "big": lambda: draw.choice((str(draw.randint(1000, 99_999)), f"{draw.randint(2, 900)}万", "3.5亿", "1200万")),
        "year": lambda: f"{draw.choice((draw.randint(1800, 1999), draw.randint(2000, 2030)))}年",
        "date": lambda: f"{draw.randint(1, 12)}月{draw.randint(1, 28)}{draw.choice('日号')}",
        "time": lambda: draw.choice(
            (f"{draw.randint(1, 12)}点{draw.choice(('半', '一刻', '二十分', '零五分'))}", "7:45")
        ),
        "money": lambda: draw.choice(
            (
                *(f"{draw.randint(2, 900)}块", f"¥{draw.randint(10, 900)}", f"{draw.randint(2, 90)}.5元", "$20"),
                *("三块五", f"{draw.randint(2, 90)}万元", f"{draw.randint(2, 90)}毛钱", "€50"),
            )
        ),
        "pct": lambda: draw.choice((f"{draw.randint(2, 99)}%", f"{draw.randint(1, 9)}.{draw.randint(1, 9)}%")),
        "unit": lambda: f"{draw.choice((draw.randint(2, 90), draw.randint(100, 900)))}{draw.choice(CHINESE_UNITS)}",
        "dec": lambda: f"{draw.randint(0, 20)}.{draw.randint(1, 9)}",
        "frac": lambda: draw.choice(("三分之一", "三分之二", "四分之三", "五分之二", "十分之一", "二分之一")),
        "phone": lambda: "1" + "".join(str(draw.randint(0, 9)) for _ in range(10)),
        "name": lambda: draw.choice(CHINESE_NAMES),
    }


def _ordinal(value: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th") if value % 100 not in (11, 12, 13) else "th"
    return f"{value}{ending}"


ENGLISH_TEMPLATES = """\
The meeting starts at {time} on {date}.
{name} paid {money} for the ticket.
About {pct} of the students passed.
The tower was finished in {year}.
He came {ord} in the race.
The package weighs {unit}.
It happened in the {decade}.
There are {big} people in the town.
The company is worth ${million}.
My phone number is {phone}.
Call {name} at {time}.
It costs between {money} and {money}.
We walked for {unit} before lunch.
The answer is {dec}, I think.
Roughly {frac} of the land is forest.
Add {frac} cup of sugar and stir.
She turns {n} on {date}.
Open your books at page {n}.
The score was {small} to {small}.
The temperature fell to {unit} last night.
We live on the {ord} floor.
It is {clock} already.
Prices rose by {pct} in {year}.
The {ord} century was a time of change.
I need {small} eggs and {unit} of flour.
Take the {ord} left after the bridge.
Version {dec} is out now.
The train leaves at {clock}.
A marathon is {dec} miles long.
From {year} to {year} he lived abroad.
They sold {million} copies.
The {small}-year-old boy ran home.
Bring {small} or {small} friends.
The rent is {money} per month.
Only {small} out of {n} people agreed.
{name} was born on {date}.
It takes {small}-{small} minutes.
Rates fell from {pct} to {pct}.
Chapter {small} has {n} pages.
The file is {unit} in size.
The house has {small} bedrooms and {small} bathrooms.
Multiply {small} by {small} and you get {n}.
He scored {n} points in {small} games.
It is {small} times faster than before.
Save {money} a week, and you will have {money}.
Bus number {n} stops here at {time}.
""".splitlines()

ENGLISH_PLAIN = """\
Okay, I'll e-mail you the follow-up tonight.
Our website has an up-to-date check list.
He's gonna set up the back-up drive.
Please log in with your username and password.
The well-known co-founder lives in Washington, D.C.
Put the lap top in the living-room bookcase.
My mother-in-law's good-bye party was a get-together.
A state-of-the-art freezer isn't cheap.
You shouldn't've parked in the driveway.
Let's see who's coming, and who'd rather stay.
They've got a part-time babysitter.
It's a one-way street with a thirty-mile limit.
The grey theatre has a colourful programme.
She realised that the labour was in the centre.
Dr. Smith and Mr. Jones met at St. Mary's.
The CEO of the U.S. firm spoke on TV.
Visit our homepage at example dot com.
Send it to info at example dot org.
Download the app over Wi-Fi or a USB stick.
The FAQ says that PDFs are OK.
All right, that is alright with me.
The T-shirt and the X-ray are in the toolbox.
Everyone's free-time hobby is woodworking.
We'd better double-check the spreadsheet.
He's a freelance copywriter and a blogger.
I can't believe it isn't butter.
The roommate's notebook was in a briefcase.
The girls' changing room is downstairs.
She makes home-made jam and oatmeal cookies.
An ad-free podcast is a win-win.
Use a non-stick frying pan and olive oil.
The sunrise over the seaside was breathtaking.
The baseball player wore a wristwatch.
Sunflower seeds and peanut butter, please.
The eye-catching billboard is by the crossroads.
He whispered, "Hmm, I dunno."
It was a long-lasting, high-quality product.
The doorbell rang, and the watchdog barked.
We co-operate with the trade union.
A self-driving car needs a touchscreen.
The play-off game went into overtime.
An online course on machine learning costs nothing.
The mid-afternoon meeting is off-site.
She's an old-fashioned schoolteacher.
Turn left at the roundabout near the petrol station.
The multi-purpose hall holds a ping-pong table.
The vice president resigned on a Wednesday.
He had a heart-to-heart talk with his step-father.
We bought a fire extinguisher and a flashlight.
I've a sore throat and a runny nose.
Mum's favourite flavour is vanilla.
The tyre was flat, so we phoned the neighbours.
You can enrol in the programme next term.
Catalogue the jewellery, and analyse the fibre.
The plough stood beside the aluminium ladder.
Is it licence or license?
I'm afraid he'd've missed it anyway.
There's nothing to be afraid of, y'all.
The rock 'n' roll band had a comeback.
Mix it with yoghurt, ketchup and whisky.
The wifi password's on the whiteboard.
What's the Wi-Fi's name, and where's the router?
Make sure you're hands-free when you drive.
Sign up, sign in, and check out.
The sign-up sheet is at the check-in desk.
A runner-up gets a gift card.
The takeaway is simple, don't overdo it.
The workout took an hour, then we worked out the bill.
Let me know whether the weather holds.
Fill out the online form, then print a hard copy.
The firefighter used an axe on the doorframe.
My inbox is full of spam e-mails.
Her fiance is a barista at a cafe.
He wrote a resume with a naive cliche.
An MRI scan and a DNA test were done at the ER.
NASA and the EU signed an agreement.
The PhD student studies AI and biology.
He got an A plus in maths and a B minus in art.
The ATM is next to the ID office.
My SUV's GPS doesn't work.
The iPhone and the MacBook use USB C.
Try a double espresso with oat milk.
Seventy-five percent is three quarters.
Half a dozen eggs, please.
A couple of hundred people came.
It is two and a half hours away.
It costs a dollar fifty.
It is nine one one, not four one one.
In the late nineties and early two thousands.
Twenty-first-century skills matter.
He's in his mid-thirties.
Two-thirds of a cup is enough.
One-third is less than one-half.
Take one every twenty-four hours.
Give me a five-dollar bill, a ten and a twenty.
A twelve-month, six-figure contract.
We open at nine and close at five thirty.
The seven-thirty bus was late.
World War Two ended in nineteen forty-five.
Henry the Eighth had six wives.
Route sixty-six runs west.
Room two oh four is upstairs.
The number is zero point zero five.
It's minus ten degrees outside.
The ratio is three to one.
Ten to the sixth is a million.
Five squared is twenty-five.
It's number one on the list.
Add one teaspoon of salt and two tablespoons of oil.
The speed limit is fifty-five miles per hour.
It weighs a hundred and fifty pounds.
She is five foot six.
He ran a four-minute mile.
It's a quarter past eight in the morning.
Meet me at noon or at midnight.
We won three nil.
The odds are fifty-fifty.
The first half is free, the second isn't.
""".splitlines()

CHINESE_TEMPLATES = """\
会议在{date}{time}开始。
{name}花了{money}买票。
大约{pct}的学生及格了。
这座塔是{year}建成的。
他得了第{small}名。
这个包裹重{n}公斤。
镇上有{big}人。
我的电话是{phone}。
请在{time}给{name}打电话。
价格在{money}到{money}之间。
我们走了{unit}。
答案是{dec}。
大概有{frac}的土地是森林。
{name}生于{year}{date}。
请翻到第{n}页。
比分是{small}比{small}。
昨晚气温降到零下{small}度。
我们住在{small}楼。
现在已经{time}了。
{year}物价上涨了{pct}。
我要{small}个鸡蛋和{unit}面粉。
版本{dec}已经发布。
火车{time}出发。
从{year}到{year}他住在国外。
一共卖了{big}册。
那个{small}岁的男孩跑回家了。
房租每月{money}。
{n}个人里只有{small}个同意。
需要{small}到{small}分钟。
利率从{pct}降到{pct}。
第{small}章有{n}页。
文件大小是{unit}。
这套房子有{small}个房间，{unit}。
{small}乘以{small}等于多少？
他在{small}场比赛里得了{n}分。
速度比以前快{small}倍。
坐{n}路公交车到终点站。
全场{small}折，满{n}减{small}。
跳远他跳了{dec}米。
{name}每天跑{unit}。
每小时行驶{n}公里。
他今年{n}岁，工作了{small}年。
这道题占{n}分，考试{n}分钟。
{year}的冠军是{name}。
""".splitlines()

CHINESE_PLAIN = """\
等一会儿，我去拿点儿东西。
她把她的帽子给了他。
这只猫的尾巴它自己咬着。
他跑得很快，高兴地笑了。
我们在公园里聊天儿。
请打开Wi-Fi，下载这个App。
我的e-mail坏了，请发微信。
他在用iPhone看PPT。
这个APP的VIP会员要付费。
CEO说AI会改变一切。
用USB接口连接电脑。
请问洗手间在哪里？
那里有什么好玩儿的？
其他人都走了，只剩下我。
请登录您的账号，输入密码。
好像是这么回事儿。
我觉得这个想象很有意思。
这家银行的账单有问题。
做作业的时候别看电视。
这是唯一的办法。
他作为老师非常负责。
嗯，我想想再说吧。
哎呀，我忘了带钥匙。
啊，原来是这样啊。
十二个月是一年。
一个星期有七天。
五四运动以后，他去了上海。
三八妇女节放半天假。
双十一的时候东西便宜。
八零后和九零后不一样。
二十世纪八十年代的老歌。
三四个人坐一张桌子。
十几个孩子在操场上。
两三天就能到。
百分之百的羊毛。
九成的人都同意。
半斤八两差不多。
一点点盐就够了。
一口气喝了两瓶水。
第一次见面是在第二年春天。
三点一刻我们在门口见。
差五分八点。
下午两点半上课。
晚上十点以后不要吵。
二零二四年是闰年。
两千零八年的奥运会。
公元前二二一年秦始皇统一六国。
请拨打幺幺零报警。
火警电话是一一九。
房间号是三零二。
G一零二次列车晚点了。
他身高一米七五，体重六十五公斤。
两斤苹果三块五。
一共九块九，包邮。
一百二十块钱一件。
五百万美元的投资。
一点五倍的速度播放。
圆周率约等于三点一四。
三加五等于八。
七乘以八等于五十六。
四分之三杯牛奶。
气温三十七点二度。
水的化学式是H二O。
维生素C对身体好。
他买了一辆SUV。
我住在二号楼三单元五零一室。
每天八小时，每周五天。
全书一共三十二章。
一年三百六十五天，天天如此。
一千零一夜的故事。
一九九七年香港回归。
七点四十五的闹钟。
请把音量调到百分之五十。
这本书的作者是谁？
我哥哥的女儿叫小美。
妈妈做的红烧肉真好吃。
爷爷奶奶住在乡下。
春节的时候全家一起包饺子。
他吃了一碗面，喝了一杯茶。
请在这里签名。
这条裙子太长了，那条正好。
图书馆周末也开门。
医生让他多喝水，少熬夜。
天气预报说明天下雨。
我想学游泳，可是怕水。
长城有两千多年的历史。
手机没电了，充电器在哪儿？
为了健康，每天走一万步。
一只手拿着书，一只手拿着笔。
这里的风景像画一样美。
孩子们在雪地里堆雪人。
经理正在开会，请稍等。
这件衣服打八五折。
先往左拐，再往右走。
老师布置了三道题。
我已经吃过早饭了。
你觉得怎么样？
别着急，慢慢来。
他们俩是好朋友。
一日之计在于晨。
""".splitlines()

_SLOT = re.compile(r"\{(\w+)\}")


def sentences(language: str, seed: int = 1) -> Iterator[str]:
    """Yield spoken sentences, none twice, without end: plain ones mixed among those of templates.

    Each third of the Chinese ones is written in traditional characters.
    """
    draw = random.Random(f"{language}-{seed}")
    slots = (_english_slots if language == "en" else _chinese_slots)(draw)
    templates = ENGLISH_TEMPLATES if language == "en" else CHINESE_TEMPLATES
    plain = list(ENGLISH_PLAIN if language == "en" else CHINESE_PLAIN)
    draw.shuffle(plain)
    seen: set[str] = set()
    while True:
        is_plain = plain and draw.random() < 0.35
        written = plain.pop() if is_plain else _SLOT.sub(lambda found: slots[found[1]](), draw.choice(templates))
        spoken = verbalize(written, language)
        if spoken in seen or not is_speakable(spoken, language, allow_latin=True):
            continue
        seen.add(spoken)
        traditional = language == "zh" and len(seen) % TRADITIONAL_SHARE == 0
        yield zhconv.convert(spoken, "zh-hant") if traditional else spoken
