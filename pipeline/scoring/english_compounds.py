"""Words that are written apart or together for the same sounds: "health care" and "healthcare".

Written apart is the form that is compared: a compound can then be looked up by itself, whatever its neighbors.
No part of a compound is a number word, since those are read with the words beside them ("any one", "some one").
"""

# With or without an s at the end.
_APART = """
after noon, air craft, air line, air plane, air port, any body, any more, any place, any thing, any time, any way, any
where, apple sauce, arm chair, arm pit, baby sit, baby sitter, baby sitting, back end, back ground, back log, back
pack, back stage, back up, back yard, band width, bar code, base ball, base line, basket ball, bath robe, bath room,
bath tub, bed rock, bed room, bed side, bed time, bee hive, bench mark, best seller, best selling, bill board, bird
house, birth day, birth place, black berries, black berry, black bird, black board, black mail, blue berries, blue
berry, blue print, boat house, book case, book keeper, book mark, book shelf, book store, bottle neck, brain power,
brain storm, bread crumb, break down, break fast, break through, brief case, broad band, broad cast, brush stroke,
bull dog, butter fly, butter milk, buy out, by pass, by product, candle light, candle stick, car park, car pool, card
board, care giver, care taker, cart wheel, cash back, cell mate, cell phone, chalk board, chat bot, check box, check
in, check list, check mate, check out, check point, check up, cheese cake, child birth, child care, chop stick, church
yard, class mate, class room, clean up, clip board, clock wise, close up, coast line, cob web, coffee house, cook
book, copy writer, copy writing, cork screw, corn bread, corn field, counter top, country side, court house, court
room, court yard, cover up, cow boy, cow girl, cross road, cross walk, cross word, crowd fund, crowd funding, crowd
sourcing, cup cake, cut off, cyber security, dance floor, data base, data point, data set, day break, day care, day
dream, day light, day time, dead line, dead lock, dish washer, dog house, door bell, door knob, door mat, door step,
door way, double check, down fall, down hill, down load, down pour, down side, down size, down stairs, down time, down
town, dragon fly, draw back, draw bridge, drive way, drop down, drop out, drum stick, dust bin, ear drum, ear phone,
ear ring, earth quake, earth worm, egg plant, egg shell, every body, every day, every thing, eye ball, eye brow, eye
catching, eye lash, eye lid, eye sight, eye witness, fail safe, fair way, fall out, farm house, feed back, field work,
finger nail, finger print, fire arm, fire fighter, fire fly, fire place, fire proof, fire side, fire wall, fire wood,
fire work, fish bowl, flag pole, flash back, flash light, flow chart, flower pot, follow up, foot ball, foot hill,
foot hold, foot note, foot path, foot print, foot step, foot wear, for ever, fore ground, fore head, frame work, free
lance, front end, full time, fund raiser, game play, gem stone, gift card, ginger bread, god father, god mother, gold
fish, good bye, grand parent, grape fruit, grass land, grave yard, green house, grid lock, ground water, guide book,
guide line, hail storm, hair brush, hair cut, hair dresser, hair style, half time, half way, hall way, hand bag, hand
book, hand crafted, hand cuff, hand gun, hand held, hand made, hand out, hand rail, hand shake, hand writing, hand
written, hard copy, hard cover, hash tag, head ache, head band, head count, head light, head line, head phone, head
quarters, head set, head stone, head way, health care, heart ache, heart beat, heart break, heart felt, heart warming,
hide out, high land, high light, high way, hill side, home brew, home coming, home grown, home land, home made, home
owner, home page, home school, home sick, home town, home work, honey bee, honey comb, honey moon, horse back, horse
power, horse shoe, hot spot, hour glass, house boat, house fly, house hold, house keeping, house mate, house plant,
house warming, how ever, ice cream, in box, in put, in side, in to, jelly fish, jet lag, jump start, key board, key
chain, key hole, key note, key stroke, key word, kick off, kick start, knock out, know how, lady bug, lake side, lamp
post, land fill, land lord, land mark, land scape, land slide, lap top, law suit, lawn mower, lay off, lay out, left
over, life boat, life cycle, life guard, life like, life long, life saver, life span, life style, life time, light
bulb, light house, light weight, lime stone, line up, lip stick, live stock, live stream, living room, lock down, log
book, log in, log out, long term, look out, lower case, lunch time, mail box, mail man, main land, main stream, make
over, make up, man kind, man power, market place, master piece, match box, may be, meal time, mean time, mean while,
meat ball, mid night, mid term, mile stone, milk shake, mind set, mine field, moon light, motor bike, motor cycle,
motor way, mouse trap, mouth wash, multi media, multi task, nation wide, new born, new comer, news feed, news letter,
news paper, nick name, night club, night fall, night time, no where, non fiction, non profit, north east, north west,
note book, note pad, nut shell, oat meal, off line, off set, off site, on board, on boarding, on going, on line, on
set, on site, on to, open source, out break, out come, out door, out fit, out going, out let, out line, out look, out
put, out reach, out side, over all, over come, over due, over flow, over load, over look, over night, over pass, over
reliance, over ride, over seas, over throw, over time, over view, over work, paint brush, pan cake, paper back, paper
clip, paper work, part time, pass word, patch work, pay back, pay check, pay day, pay load, pay out, pea nut, peace
keeper, peace keeping, photo copy, pick up, pig tail, pin ball, pine apple, pipe line, place holder, play book, play
ground, play list, play off, play time, pod cast, pony tail, pop corn, pop up, post card, pot hole, press up, print
out, proof read, proof reading, push up, quick sand, rail road, rail way, rain bow, rain coat, rain drop, rain fall,
rain forest, rain water, rattle snake, real time, red head, ring tone, river bank, river bed, river side, road block,
road map, road side, role play, roof top, room mate, row boat, run away, run time, safe keeping, sail boat, sales
people, sales person, sand box, sand castle, sand paper, sauce pan, school teacher, school yard, score board, screen
shot, sea food, sea horse, sea shell, sea shore, sea side, sea weed, set back, set up, shop lifting, short cut, short
term, show down, show off, show room, shut down, side effect, side line, side show, side walk, sign post, sign up,
silver ware, sit up, skate board, sky line, sky scraper, sleep walking, slow down, smart phone, smart watch, snap
shot, snow ball, snow board, snow fall, snow flake, snow man, snow storm, soap box, socio economic, soft ware, some
body, some how, some thing, some time, some where, song bird, song writer, song writing, south east, south west, space
craft, space ship, space suit, spread sheet, spring time, stair way, stand by, stand out, stand point, star fish, star
light, start up, state wide, steam boat, step brother, step child, step daughter, step father, step mother, step
sister, step son, stop watch, store front, store room, story board, story line, story teller, story telling, straw
berries, straw berry, suit case, summer time, sun beam, sun burn, sun dial, sun flower, sun glasses, sun light, sun
rise, sun roof, sun screen, sun set, sun shine, super hero, super market, super star, surf board, sweat shirt, sweet
heart, table cloth, table spoon, table top, tail gate, tail light, take away, take off, take out, take over, tax
payer, tea bag, tea cup, tea pot, tea spoon, tea time, team work, text book, throw away, thunder storm, time frame,
time keeper, time line, time out, time stamp, time zone, tip toe, tool bar, tool box, tool kit, tooth ache, tooth
brush, tooth paste, tooth pick, top soil, touch down, touch screen, trade mark, trade off, tree house, tree top,
trouble shoot, trouble shooting, turn around, turn out, turn over, turn table, turtle neck, under cover, under dog,
under estimate, under ground, under line, under water, under way, up load, up side, up stairs, up time, up town, upper
case, user name, video game, vine yard, voice mail, volley ball, wall paper, ware house, wash cloth, wash room, waste
land, watch dog, water color, water fall, water melon, water proof, water way, wave length, web cam, web master, web
page, web site, week day, week end, week long, week night, well being, what ever, wheel barrow, wheel chair, when
ever, whirl pool, white board, whole sale, wide spread, wild fire, wild flower, wild life, wind mill, wind pipe, wind
screen, wind shield, wood land, wood pecker, wood work, wood working, word play, work around, work bench, work book,
work day, work flow, work force, work load, work out, work place, work sheet, work shop, work space, work station,
work week, world view, world wide, wrist band, wrist watch, yard stick, year book, year long, zip code
"""

COMPOUNDS: dict[str, str] = {}
for _parts in (" ".join(entry.split()) for entry in _APART.split(",")):
    for _ending in ("", "s"):
        COMPOUNDS[_parts.replace(" ", "") + _ending] = _parts + _ending
